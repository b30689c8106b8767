//! Reading a JSON body: bounded in size and time, and decompressed on the way.

use std::cell::Cell;
use std::io;
use std::pin::pin;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, web};
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt};
use tokio::time::timeout;
use tokio_util::io::StreamReader;

use super::code::Code;
use super::problem::Problem;
use crate::limits::{NoRoom, Room};

/// The most bytes of a body, decompressed.
const LIMIT: usize = 16 * 1024 * 1024;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the next part of it may take.
const STALL: Duration = Duration::from_secs(10);
/// What a zstd frame may make us allocate before its first byte: 2^23 bytes, all that RFC 9659 lets a sender ask for.
const ZSTD_WINDOW_LOG: u32 = 23;
/// How far the others look back at most, in bytes.
const BROTLI_WINDOW: usize = 1 << 24;
const GZIP_WINDOW: usize = 1 << 15;
/// What a decoded text takes beside its bytes.
const TEXT: usize = 48;
/// Above this, in bytes, a body gets address space for whatever may come, of which only what is written takes memory. It is so
/// much that every allocator asks the system for it and gives it back at once, and it never has to be copied.
const LARGE: usize = 1 << 20;
const SPACE: usize = 48 << 20;
/// Decompressed at once, in bytes, before other requests get their turn.
const STEP: usize = 64 * 1024;

/// A body as text that may be JSON.
pub(crate) struct Body {
    /// The decompressed bytes, at most 16 MiB.
    pub(crate) json: Vec<u8>,
    /// How many bytes were received.
    pub(crate) received: usize,
}

/// Reads the body of `request` into memory that `room` holds. Nothing is read where its headers already say that it cannot
/// be used, and nothing is held before it is there.
pub(crate) async fn read_json(request: &HttpRequest, payload: web::Payload, room: &mut Room) -> Result<Body, Problem> {
    require_json(request)?;
    let encoding = Encoding::of(request.headers())?;
    if encoding == Encoding::Identity && content_length(request.headers()).is_some_and(|n| n > LIMIT) {
        return Err(too_large());
    }
    match timeout(TIMEOUT, decode(payload, encoding, room)).await {
        Ok(body) => body,
        Err(_elapsed) => Err(too_slow(format!("The whole body must arrive within {} seconds", TIMEOUT.as_secs()))),
    }
}

fn too_slow(detail: String) -> Problem {
    Problem::new(Code::RequestTimeout, detail)
}

fn require_json(request: &HttpRequest) -> Result<(), Problem> {
    let is_json = request.mime_type().ok().flatten().is_some_and(|mime| {
        let json = mime.subtype() == "json" || mime.suffix().is_some_and(|suffix| suffix == "json");
        mime.type_() == "application" && json
    });
    if is_json {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, "Send JSON, with Content-Type: application/json")
        .with_header(header::ACCEPT, HeaderValue::from_static("application/json")))
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut named = headers.get_all(header::CONTENT_ENCODING);
        let encoding = match (named.next(), named.next()) {
            (None, _) => Some(Self::Identity),
            (Some(value), None) => value.to_str().ok().and_then(Self::from_name),
            _ => None,
        };
        encoding.ok_or_else(|| {
            Problem::new(Code::UnsupportedEncoding, "Send the body as it is, or compressed once with gzip, br or zstd")
                .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd, identity"))
        })
    }

    fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

async fn decode(payload: web::Payload, encoding: Encoding, room: &mut Room) -> Result<Body, Problem> {
    let received = Cell::new(0);
    let chunks = in_time(payload).inspect_ok(|chunk| received.set(received.get() + chunk.len()));
    let json = decompress(StreamReader::new(pin!(chunks)), encoding, room).await?;
    Ok(Body { json, received: received.get() })
}

/// The chunks of a body, as long as there is always another soon.
fn in_time(payload: web::Payload) -> impl Stream<Item = io::Result<web::Bytes>> {
    futures::stream::try_unfold(payload, |mut payload| async move {
        match timeout(STALL, payload.next()).await {
            Ok(Some(chunk)) => chunk.map(|chunk| Some((chunk, payload))).map_err(io::Error::other),
            Ok(None) => Ok(None),
            Err(_elapsed) => Err(io::ErrorKind::TimedOut.into()),
        }
    })
}

async fn decompress(
    mut compressed: impl AsyncBufRead + Unpin,
    encoding: Encoding,
    room: &mut Room,
) -> Result<Vec<u8>, Problem> {
    // Who has sent nothing takes nothing.
    compressed.fill_buf().await.map_err(|error| unreadable(&error))?;
    match encoding {
        Encoding::Identity => read_bounded(compressed, 0, room).await,
        Encoding::Brotli => read_bounded(BrotliDecoder::new(compressed), BROTLI_WINDOW, room).await,
        Encoding::Gzip => {
            let mut decoder = GzipDecoder::new(compressed);
            decoder.multiple_members(true);
            read_bounded(decoder, GZIP_WINDOW, room).await
        }
        Encoding::Zstd => {
            let mut decoder = ZstdDecoder::with_params(compressed, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]);
            decoder.multiple_members(true);
            read_bounded(decoder, 1 << ZSTD_WINDOW_LOG, room).await
        }
    }
}

/// Reads to the end, or until there is more than the limit, or no room. The decoders only decompress what there is room
/// for, so a compression bomb is noticed at 16 MiB, however little of it has arrived. A decoder looks back at `window` bytes
/// at most; what it has not come to yet takes no memory.
async fn read_bounded(mut reader: impl AsyncRead + Unpin, window: usize, room: &mut Room) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    loop {
        let next = body.len() + STEP;
        room.resize(next + window.min(next))?;
        if body.len() < LARGE {
            body.reserve(STEP);
        } else if body.capacity() < SPACE {
            body.reserve_exact(SPACE - body.len());
        }
        let most = (LIMIT + 1 - body.len()).min(STEP) as u64;
        match (&mut reader).take(most).read_buf(&mut body).await {
            Ok(0) => {
                room.resize(body.len())?;
                return Ok(body);
            }
            Ok(_) if body.len() > LIMIT => return Err(too_large()),
            Ok(_) => tokio::task::consume_budget().await,
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

/// Makes room for what `body` becomes when it is decoded: its texts once more, each with what a text takes by itself.
pub(crate) fn hold_decoded(body: &[u8], room: &mut Room) -> Result<(), Problem> {
    let texts = body.iter().filter(|byte| **byte == b'"').count() / 2;
    Ok(room.resize(2 * body.len() + texts * TEXT)?)
}

impl From<NoRoom> for Problem {
    fn from(_: NoRoom) -> Self {
        Self::overloaded()
    }
}

fn too_large() -> Problem {
    Problem::new(Code::BodyTooLarge, "A body has at most 16 MiB after decompression; send fewer modules at once")
}

fn unreadable(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::TimedOut {
        return too_slow(format!("Nothing of the body has arrived for {} seconds", STALL.as_secs()));
    }
    let lost = error.get_ref().is_some_and(|inner| inner.is::<PayloadError>());
    if lost {
        return Problem::new(Code::IncompleteBody, "The connection ended before the body did");
    }
    Problem::new(Code::BadEncoding, "The body cannot be decompressed, or it ends early")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::FromRequest;
    use actix_web::dev::Payload;
    use actix_web::test::TestRequest;
    use async_compression::Level;
    use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder};
    use std::sync::Arc;
    use tokio::io::BufReader;

    use crate::limits::BodyMemory;

    async fn bytes(mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    async fn compressed(plain: &[u8]) -> [(Encoding, Vec<u8>); 3] {
        [
            (Encoding::Gzip, bytes(GzipEncoder::with_quality(plain, Level::Fastest)).await),
            (Encoding::Brotli, bytes(BrotliEncoder::with_quality(plain, Level::Fastest)).await),
            (Encoding::Zstd, bytes(ZstdEncoder::with_quality(plain, Level::Fastest)).await),
        ]
    }

    /// A room in a memory of so many MiB.
    fn room(mib: usize) -> Room {
        Arc::new(BodyMemory::new(mib << 20)).room("key")
    }

    async fn code_of(body: &[u8], encoding: Encoding) -> Result<usize, Code> {
        decompress(body, encoding, &mut room(64)).await.map(|plain| plain.len()).map_err(|p| p.code())
    }

    #[tokio::test]
    async fn what_is_there_is_held_and_what_is_announced_is_not() {
        let plain = vec![b' '; 9 << 20];
        for (encoding, body) in compressed(&plain).await {
            let mut held = room(256);
            decompress(&body[..], encoding, &mut held).await.unwrap();
            assert_eq!(held.bytes(), plain.len(), "{encoding:?}");
            let small = decompress(&body[..], encoding, &mut room(8)).await.map_err(|p| p.code());
            assert_eq!(small, Err(Code::Overloaded), "{encoding:?}");
        }
        let mut held = room(256);
        let (sender, nothing_yet) = tokio::io::duplex(64);
        let reading = decompress(BufReader::new(nothing_yet), Encoding::Brotli, &mut held);
        assert!(timeout(Duration::from_millis(50), reading).await.is_err());
        assert_eq!(held.bytes(), 0);
        drop(sender);
        hold_decoded(br#"{"a": "b"}"#, &mut held).unwrap();
        assert_eq!(held.bytes(), 2 * 10 + 2 * TEXT);
    }

    #[tokio::test]
    async fn bodies_are_decompressed_up_to_the_limit_and_no_further() {
        let mut plain = vec![b' '; LIMIT];
        for (encoding, body) in compressed(&plain).await {
            assert_eq!(code_of(&body, encoding).await, Ok(LIMIT), "{encoding:?}");
        }
        plain.push(b' ');
        for (encoding, body) in compressed(&plain).await {
            assert_eq!(code_of(&body, encoding).await, Err(Code::BodyTooLarge), "{encoding:?}");
        }
        assert_eq!(code_of(&plain, Encoding::Identity).await, Err(Code::BodyTooLarge));
    }

    #[tokio::test]
    async fn a_body_of_several_members_is_read_whole_and_a_damaged_one_refused() {
        let plain: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
        for (encoding, body) in compressed(&plain).await {
            assert_eq!(code_of(&body[..body.len() / 2], encoding).await, Err(Code::BadEncoding), "{encoding:?} cut");
            assert_eq!(code_of(b"{\"modules\": 1}", encoding).await, Err(Code::BadEncoding), "{encoding:?} plain");
            if encoding != Encoding::Brotli {
                assert_eq!(code_of(&body.repeat(2), encoding).await, Ok(plain.len() * 2), "{encoding:?} twice");
            }
        }
    }

    /// What a body is refused for, of which a byte arrives every so often.
    async fn code_of_trickle(pause: Duration) -> Result<(), Code> {
        let one_more = move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok(web::Bytes::from_static(b" ")), ()))
        };
        let mut payload: Payload = Payload::Stream { payload: Box::pin(futures::stream::unfold((), one_more)) };
        let request = TestRequest::post().insert_header(("content-type", "application/json")).to_http_request();
        let payload = web::Payload::from_request(&request, &mut payload).await.unwrap();
        read_json(&request, payload, &mut room(64)).await.map(|_| ()).map_err(|problem| problem.code())
    }

    /// Time stands still but for the timers, so this takes no time.
    #[tokio::test(start_paused = true)]
    async fn a_sender_that_trickles_or_stalls_is_cut_off() {
        let second = Duration::from_secs(1);
        assert!(timeout(TIMEOUT - second, code_of_trickle(second)).await.is_err(), "it has more time");
        assert_eq!(code_of_trickle(second).await, Err(Code::RequestTimeout));
        let stalled = timeout(STALL + second, code_of_trickle(3600 * second)).await;
        assert_eq!(stalled, Ok(Err(Code::RequestTimeout)));
    }

    #[test]
    fn only_json_and_known_encodings_are_taken() {
        let request =
            |name: &'static str, value: &str| TestRequest::post().insert_header((name, value)).to_http_request();
        for good in ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/x+json"] {
            assert!(require_json(&request("content-type", good)).is_ok(), "{good}");
        }
        for bad in ["", "text/plain", "text/json", "application/jsonp", "multipart/form-data; boundary=x", "json"] {
            assert!(require_json(&request("content-type", bad)).is_err(), "{bad}");
        }
        for bad in ["deflate", "gzip, br", "compress"] {
            assert!(Encoding::of(request("content-encoding", bad).headers()).is_err(), "{bad}");
        }
        assert_eq!(Encoding::of(request("content-encoding", "GZIP").headers()).ok(), Some(Encoding::Gzip));
        assert_eq!(Encoding::of(request("x-other", "x").headers()).ok(), Some(Encoding::Identity));
    }
}
