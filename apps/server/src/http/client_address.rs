//! Where a request comes from.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer's, or, where the peer is one of our proxies, the last address in
/// `X-Forwarded-For` that is not. What stands before it could have been written by anybody.
pub(crate) fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    Some(behind_proxies(peer, request.headers(), trusted))
}

fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    let values: Vec<&str> = headers.get_all(X_FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect();
    let hops = values.iter().rev().flat_map(|value| value.rsplit(','));
    let mut client = peer;
    for hop in hops {
        // What is no address was written by nobody we trust.
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_proxy(&client) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let request = forwarded
            .iter()
            .fold(TestRequest::get(), |request, value| request.append_header((X_FORWARDED_FOR, *value)));
        behind_proxies(peer.parse().unwrap(), request.to_http_request().headers(), &trusted).to_string()
    }

    #[test]
    fn only_our_proxies_may_say_who_the_client_is() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "a stranger's word does not count");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]),
            "198.51.100.7",
            "the last that is not ours"
        );
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7", "several fields are one list");
        assert_eq!(client("::1", &["10.0.0.3"]), "10.0.0.3", "a client inside our own net");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }
}
