package vectorstore

// Filter selects documents. The set of filters is closed: the types of this
// package are all there are, so that every store can translate or evaluate
// each of them. A nil Filter matches every document.
type Filter interface {
	// Match reports whether the filter selects d. It is the reference meaning
	// that every store must agree with.
	Match(d Document) bool

	filter()
}
