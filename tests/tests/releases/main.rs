//! Release data on its way from drupal.org: the feed in every mood, the refresher, and the command line.

mod cli;
mod feed_server;
mod http_feed;
mod refresher;
mod serving;
mod support;
