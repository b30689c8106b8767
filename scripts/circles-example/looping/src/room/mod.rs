//! A parent that uses what its child defines, which uses what the parent defines.

mod door;

use super::pear;

pub(crate) use pear::Pear;

pub struct Size(u32);

pub fn open(size: Size) -> bool {
    door::open(size)
}
