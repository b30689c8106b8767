//! Three files: through a re-export, a path in code, and a name that the parent imports only for itself.

use crate::room::Pear;

pub struct Apple(Pear);
