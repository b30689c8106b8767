pub(super) fn open(size: super::Size) -> bool {
    size.0 > 0
}
