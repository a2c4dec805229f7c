package bm25

import "math"

// Default parameters.
const (
	DefaultK1 = 1.5
	DefaultB  = 0.75
)

// Option configures New.
type Option func(*Index)

// WithK1 sets how fast repetitions of a term stop counting: 0 ignores them, the
// usual values are 1.2 to 2. Values that are negative or not finite mean
// DefaultK1.
func WithK1(k1 float64) Option {
	return func(x *Index) {
		if k1 >= 0 && k1 <= math.MaxFloat32 {
			x.params.k1 = k1
		}
	}
}

// WithB sets how much long documents are penalised, from 0 (not at all) to 1.
// Values outside mean DefaultB.
func WithB(b float64) Option {
	return func(x *Index) {
		if b >= 0 && b <= 1 {
			x.params.b = b
		}
	}
}

// WithAnalyzer sets how texts and queries are split into terms. The default is
// API().
func WithAnalyzer(a Analyzer) Option {
	return func(x *Index) {
		if a != nil {
			x.analyzer = a
		}
	}
}

// WithFieldWeights sets how much an occurrence in a field counts, 0 to 1,000;
// the key "" is Document.Text. A field that is not named has weight 1; one of
// weight 0 is not indexed. Weights that are not whole are rounded to 1/64.
func WithFieldWeights(byField map[string]float64) Option {
	return func(x *Index) {
		x.weights = newWeights(byField)
	}
}

// weights are the field weights in units.
type weights struct {
	units map[string]uint32
	one   uint32 // units of the weight 1; 0 means 1
}

const (
	maxWeight = 1000
	fraction  = 64 // units of the weight 1 when some weight is not whole
)

func newWeights(byField map[string]float64) weights {
	w := weights{units: make(map[string]uint32, len(byField)), one: 1}
	for _, weight := range byField {
		if weight != math.Trunc(weight) {
			w.one = fraction
		}
	}
	for field, weight := range byField {
		if !(weight > 0) { // also NaN
			weight = 0
		}
		w.units[field] = uint32(math.Round(min(weight, maxWeight) * float64(w.one)))
	}
	return w
}

func (w weights) scale() float64 { return float64(max(w.one, 1)) }

// of is the weight of a field in units.
func (w weights) of(field string) uint32 {
	if units, ok := w.units[field]; ok {
		return units
	}
	return max(w.one, 1)
}

// params are the parameters of the formula.
type params struct {
	k1, b float64
	unit  float64 // units of the weight 1
}

// normalizer computes the saturation of term frequencies for one average
// length: K = constant + slope·length, in units.
type normalizer struct{ constant, slope float64 }

func (p params) normalizer(average float64) normalizer {
	n := normalizer{constant: p.unit * p.k1 * (1 - p.b)}
	if average > 0 {
		n.slope = p.unit * p.k1 * p.b / average
	}
	return n
}

// saturation is tf/(tf+K). The conversion of the product keeps compilers from
// fusing it with the sum, so that it has the same bits wherever it is computed.
func (n normalizer) saturation(tf float64, length uint32) float64 {
	return tf / (tf + (n.constant + float64(n.slope*float64(length))))
}

// idf is the inverse document frequency of a term in df of n documents.
func idf(n, df int) float64 {
	return math.Log1p((float64(n-df) + 0.5) / (float64(df) + 0.5))
}
