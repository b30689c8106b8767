pub(crate) fn fall(from: &super::Branch) {
    drop(from);
}

pub(crate) struct Leaf;
