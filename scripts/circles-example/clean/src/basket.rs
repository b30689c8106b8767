use crate::{Apple, Pear};

pub struct Basket(Apple, Pear);
