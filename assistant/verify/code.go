package verify

// value is what an expression may be.
type value any

func (c *checker) code(b block) {
	u := unit{checker: c, start: b.start, end: b.end, strict: true}
	u.read()
}
