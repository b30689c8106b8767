//! Not `crate::Pear`, and /* not this one either.

use std::collections::BTreeMap;

pub struct Apple(BTreeMap<String, char>);

pub const ABOUT: &str = "crate::Pear \" crate::Pear";
/* use crate::Pear; */
pub const MORE: &str = r#" use crate::Pear; " "#;

#[cfg(test)]
impl crate::Pear {
    fn peel() {}
}

#[cfg(test)]
mod tests {
    use crate::{Pear, basket::Basket};

    const OPEN: char = '{';
}
