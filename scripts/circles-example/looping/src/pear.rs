pub struct Pear;

impl Pear {
    pub fn peel<'a>(&'a self, mark: char) -> Option<crate::plum::Plum> {
        (mark != '"' && mark != '\'').then(crate::plum::Plum::default)
    }
}
