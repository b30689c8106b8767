//! Who is asking: API keys.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use module_monitor_domain::{Refusal, SiteId};
use module_monitor_storage::KeyGrant;
use time::OffsetDateTime;

use super::client_address::client_address;
use super::code::Code;
use super::problem::Problem;
use super::rate_limit::{admit_read, limit_failures};
use crate::keys::PresentedKey;
use crate::limits::Connection;
use crate::state::AppState;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The holder of a valid key. As an argument of a handler it is checked before any of the body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The public id of the key.
    pub(crate) key_id: String,
    /// The site the key is for; `None` for an admin key, which may do anything for any site.
    site: Option<SiteId>,
    /// Whether that site may report.
    active: bool,
}

impl Caller {
    /// The site that `id`, a part of the path, names. For everybody but its own key and admins it does not exist.
    pub(crate) fn site(&self, id: &str) -> Result<SiteId, Problem> {
        let site = id.parse().map_err(|_| Problem::site_not_found())?;
        if self.may_see(site) { Ok(site) } else { Err(Problem::site_not_found()) }
    }

    /// Like [`Caller::site`], for routes that would not notice that a site does not exist, or no longer: a node may know
    /// a key for some seconds after its site was removed.
    pub(crate) async fn existing_site(&self, id: &str, state: &AppState) -> Result<SiteId, Problem> {
        let site = self.site(id)?;
        if state.storage.find_site(site).await?.is_none() {
            return Err(Problem::site_not_found());
        }
        Ok(site)
    }

    /// Whether what belongs to `site` may be shown.
    pub(crate) fn may_see(&self, site: SiteId) -> bool {
        self.site.is_none_or(|own| own == site)
    }

    /// The site of the key, where it is not an admin's.
    pub(crate) fn own_site(&self) -> Option<SiteId> {
        self.site
    }

    /// Refuses the key of a site that has been deactivated.
    pub(crate) fn require_active(&self) -> Result<(), Problem> {
        if self.active { Ok(()) } else { Err(Refusal::InactiveSite.into()) }
    }

    /// Refuses everybody but admins.
    pub(crate) fn require_admin(&self) -> Result<(), Problem> {
        match self.site {
            None => Ok(()),
            Some(_) => Err(Problem::new(Code::AdminOnly, "This spans all sites, and a site's key is for its own site")),
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<AppState>>().cloned();
        let key = presented_key(request.headers());
        let address = state.as_ref().and_then(|state| client_address(request, &state.trusted_proxies));
        let request = request.clone();
        async move {
            let state = state.ok_or_else(|| Problem::internal("a route without state"))?;
            let caller = match key {
                Ok(key) => authenticate(&state, &key).await,
                Err(problem) => Err(problem),
            };
            let caller = caller.map_err(|problem| limit_failures(problem, address, &state))?;
            tracing::Span::current().record("key", &caller.key_id);
            // From now on it is the key that counts, and no longer the address.
            if let Some(connection) = request.conn_data::<Connection>() {
                request.extensions_mut().insert(connection.show_key());
            }
            admit_read(&request, &caller.key_id, caller.site.is_none(), &state)?;
            Ok(caller)
        }
        .boxed_local()
    }
}

async fn authenticate(state: &AppState, key: &str) -> Result<Caller, Problem> {
    if !state.is_migrated() {
        return Err(Problem::database_unavailable());
    }
    let presented =
        PresentedKey::parse(key).ok_or_else(|| refuse(Code::KeyInvalid, "This is not the form of a key"))?;
    let stored = state.keyring.find(presented.id).await?;
    let matches = presented.matches(stored.as_ref().map(|key| &key.secret_hash));
    match stored {
        Some(stored) if matches => {
            let now = state.clock.now();
            let caller = grant(stored, now)?;
            state.keyring.mark_used(&caller.key_id, now);
            Ok(caller)
        }
        _ => Err(refuse(Code::KeyInvalid, "There is no such key")),
    }
}

/// What a key is good for at `now`; its secret has been checked.
fn grant(key: KeyGrant, now: OffsetDateTime) -> Result<Caller, Problem> {
    if key.revoked_at.is_some() {
        return Err(refuse(Code::KeyRevoked, "This key has been revoked; ask for a new one"));
    }
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(refuse(Code::KeyExpired, "This key has expired; ask for a new one"));
    }
    Ok(Caller { key_id: key.id, site: key.site_id, active: key.site_active })
}

/// The key in `X-API-Key` or `Authorization: Bearer`. Several that differ are an error: nobody should have to guess
/// which of them counts.
fn presented_key(headers: &HeaderMap) -> Result<String, Problem> {
    let bearer = headers.get_all(header::AUTHORIZATION).filter_map(bearer_token);
    let mut keys = headers.get_all(X_API_KEY).map(HeaderValue::as_bytes).chain(bearer).map(<[u8]>::trim_ascii);
    let Some(key) = keys.next() else {
        return Err(refuse(Code::KeyMissing, "Send the API key in X-API-Key or as Authorization: Bearer"));
    };
    if keys.any(|other| other != key) {
        return Err(refuse(Code::KeyInvalid, "The request carries two different keys; send one"));
    }
    // What is not text is no key either, and is refused as one.
    Ok(String::from_utf8_lossy(key).into_owned())
}

fn bearer_token(authorization: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = authorization.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

fn refuse(code: Code, detail: &str) -> Problem {
    let challenge = match code {
        Code::KeyMissing => "Bearer realm=\"module-monitor\"",
        _ => "Bearer realm=\"module-monitor\", error=\"invalid_token\"",
    };
    Problem::new(code, detail).with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn key_of(headers: &[(&str, &str)]) -> Result<String, Code> {
        let request = headers.iter().fold(TestRequest::get(), |r, (name, value)| r.append_header((*name, *value)));
        presented_key(request.to_http_request().headers()).map_err(|p| p.code())
    }

    #[test]
    fn a_key_comes_in_either_header() {
        assert_eq!(key_of(&[("X-API-Key", " k ")]).as_deref(), Ok("k"));
        assert_eq!(key_of(&[("Authorization", "bEARER  k")]).as_deref(), Ok("k"));
        assert_eq!(key_of(&[("Authorization", "Bearer k"), ("X-API-Key", "k")]).as_deref(), Ok("k"));
        assert_eq!(key_of(&[("Authorization", "Basic eDp5"), ("X-API-Key", "k")]).as_deref(), Ok("k"));
    }

    #[test]
    fn no_key_and_two_different_keys_are_refused() {
        assert_eq!(key_of(&[]), Err(Code::KeyMissing));
        assert_eq!(key_of(&[("Authorization", "Basic eDp5")]), Err(Code::KeyMissing));
        assert_eq!(key_of(&[("Authorization", "Bearer a"), ("X-API-Key", "b")]), Err(Code::KeyInvalid));
        assert_eq!(key_of(&[("X-API-Key", "a"), ("X-API-Key", "b")]), Err(Code::KeyInvalid));
    }

    #[test]
    fn a_key_ends_at_its_expiry_and_when_it_is_revoked() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let key = KeyGrant {
            id: "id".to_owned(),
            secret_hash: [0; 32],
            site_id: None,
            expires_at: Some(now),
            revoked_at: None,
            site_active: true,
            rate_limit: None,
        };
        let code = |key: KeyGrant, now| grant(key, now).map(|c| c.key_id).map_err(|p| p.code());
        assert_eq!(code(key.clone(), now), Err(Code::KeyExpired));
        assert_eq!(code(key.clone(), now - time::Duration::SECOND).as_deref(), Ok("id"));
        assert_eq!(code(KeyGrant { revoked_at: Some(now), ..key }, now), Err(Code::KeyRevoked));
    }
}
