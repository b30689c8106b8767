use crate::Leaf;

pub(crate) struct Branch(Vec<Leaf>);
