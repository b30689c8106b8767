use super::{apple::{self, Apple as Fruit}};

#[derive(Default)]
pub struct Plum(Option<Box<Fruit>>);
