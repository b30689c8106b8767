//! Bodies as the queue keeps them.

use std::io::{self, Read};

/// Fast, and far smaller than the JSON.
const LEVEL: i32 = 3;

/// More than any body may have; what unpacks to more was not packed by us.
const MAX_BODY: u64 = 64 * 1024 * 1024;

/// Compresses a body.
pub(super) fn pack(body: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(body, LEVEL)
}

/// A body as it was sent, from what [`module_monitor_storage::Jobs::job_payload`] gives.
pub fn unpack(payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    zstd::stream::read::Decoder::with_buffer(payload)?.take(MAX_BODY + 1).read_to_end(&mut body)?;
    if body.len() as u64 > MAX_BODY {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it unpacks to more than a body may have"));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_and_nothing_else_is_one() {
        for body in [&b""[..], b"{}", &[b'x'; 1_000_000]] {
            let packed = pack(body).unwrap();
            assert_eq!(unpack(&packed).unwrap(), body);
            assert!(unpack(&packed[..packed.len() - 1]).is_err(), "it ends early");
        }
        assert!(unpack(b"{}").is_err());
        assert!(unpack(&pack(&vec![0; MAX_BODY as usize + 1]).unwrap()).is_err(), "a bomb");
    }
}
