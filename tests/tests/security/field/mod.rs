//! What sites of other kinds send, and that whatever cannot be judged is seen, everywhere alike.

mod core;
mod identity;
mod judging;
mod rejections;
mod samples;
mod settlements;
mod support;
