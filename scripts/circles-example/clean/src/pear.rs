use crate::Apple;

pub struct Pear(Apple);
