//! A parent that only hands on; its child may use what it defines. A function has the name of its module.

mod open;

pub use open::open;

pub struct Size(pub u32);
