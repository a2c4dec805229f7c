// Package kernel has the arithmetic of a transformer encoder: matrix product,
// softmax, GELU and layer norm in float32.
//
// On amd64 with AVX2 and FMA the loops are assembly (kernel_amd64.s); elsewhere,
// and with the build tag purego, they are Go (portable.go). The two agree within
// rounding. What a function writes for one row never depends on the other rows,
// so results do not depend on how rows are grouped. Functions check the lengths
// of their slices and panic, as indexing does, when a slice is too short.
package kernel

import "math"

const (
	// Columns is the width of a panel of the right-hand matrix.
	Columns = 16
	// tileRows is how many rows of the left-hand matrix one tile takes.
	tileRows = 6
	// blockK is how deep one tile goes: a panel of this depth (24 kB) stays in the
	// first-level cache while the rows pass by.
	blockK = 384
	// lanes is the number of float32 in a vector register.
	lanes = 8
)

// Panels is a right-hand matrix of K rows and N columns, both at least 1,
// cut into panels of Columns columns: element (k, j) is Data[j/Columns*Step + k*Stride + j%Columns].
// The last panel is read whole even if N is not a multiple of Columns.
type Panels struct {
	Data         []float32
	K, N         int
	Step, Stride int
}

// Pack lays out the transpose of an n x k matrix, which is how the weights of a
// linear layer are stored, as panels padded with zeros.
func Pack(w []float32, n, k int) Panels {
	p := Panels{Data: make([]float32, PackedLen(n, k)), K: k, N: n, Step: k * Columns, Stride: Columns}
	PackInto(p.Data, w, k, n, k)
	return p
}

// PackedLen is the length of an n x k matrix packed.
func PackedLen(n, k int) int { return (n + Columns - 1) / Columns * Columns * k }

// PackInto packs n rows of k values, each ld after the one before, into dst,
// which holds PackedLen(n, k) values.
func PackInto(dst, src []float32, ld, n, k int) Panels {
	dst = dst[:PackedLen(n, k)]
	for j := range n {
		row := src[j*ld:][:k]
		panel := dst[j/Columns*Columns*k+j%Columns:]
		for i, x := range row {
			panel[i*Columns] = x
		}
	}
	if rest := n % Columns; rest != 0 {
		last := dst[len(dst)-Columns*k:]
		for i := range k {
			clear(last[i*Columns+rest : (i+1)*Columns])
		}
	}
	return Panels{Data: dst, K: k, N: n, Step: k * Columns, Stride: Columns}
}

// zeros is where the sums of a product without bias start.
var zeros [Columns]float32

// Mul computes c = bias + a·b for the m rows of a, which are b.K long and lda
// apart; the rows of c are b.N long and ldc apart. A bias of nil is zero.
func Mul(c []float32, ldc int, a []float32, lda, m int, b Panels, bias []float32) {
	if m == 0 {
		return
	}
	panels := (b.N + Columns - 1) / Columns
	_ = c[(m-1)*ldc+b.N-1]
	_ = a[(m-1)*lda+b.K-1]
	_ = b.Data[(panels-1)*b.Step+(b.K-1)*b.Stride+Columns-1]
	if ldc < 0 || lda < 0 || b.Step < 0 || b.Stride < 0 {
		panic("kernel: negative stride")
	}
	if bias != nil {
		_ = bias[b.N-1]
	}
	for p := range panels {
		j := p * Columns
		mulPanel(c[j:], ldc, a, lda, m, b, p, min(Columns, b.N-j), bias)
	}
}

// mulPanel computes the first width columns of c from panel p of b.
func mulPanel(c []float32, ldc int, a []float32, lda, m int, b Panels, p, width int, bias []float32) {
	start := &zeros
	if bias != nil {
		var padded [Columns]float32
		copy(padded[:], bias[p*Columns:][:width])
		start = &padded
	}
	var narrow [tileRows * Columns]float32
	for k0 := 0; k0 < b.K; k0 += blockK {
		depth := min(blockK, b.K-k0)
		panel := b.Data[p*b.Step+k0*b.Stride:]
		for i := 0; i < m; i += tileRows {
			rows := min(tileRows, m-i)
			out, ld := c[i*ldc:], ldc
			if width < Columns {
				out, ld = narrow[:], Columns
			}
			// The first block starts from the bias, the others from what is there.
			init, ldi := start[:], 0
			if k0 > 0 {
				init, ldi = out, ld
				for r := 0; r < rows && width < Columns; r++ {
					copy(narrow[r*Columns:], c[(i+r)*ldc:][:width])
				}
			}
			tile(out, ld, init, ldi, a[i*lda+k0:], lda, panel, b.Stride, depth, rows)
			for r := 0; r < rows && width < Columns; r++ {
				copy(c[(i+r)*ldc:][:width], narrow[r*Columns:])
			}
		}
	}
}

// Softmax replaces x by exp(scale*x) divided by the sum of these.
func Softmax(x []float32, scale float32) {
	if len(x) == 0 {
		return
	}
	// Values past the last whole vector are worked on in a vector of their own,
	// filled up with what does not count.
	body := x[:len(x)&^(lanes-1)]
	var tail [lanes]float32
	for i := range tail {
		tail[i] = float32(math.Inf(-1))
	}
	rest := copy(tail[:], x[len(body):])
	top := tail[0]
	for _, t := range tail[1:] {
		top = max(top, t)
	}
	if len(body) > 0 {
		top = max(top, maximum(body))
	}
	var sum float32
	if len(body) > 0 {
		sum = expSum(body, scale, top)
	}
	if rest > 0 {
		expSum(tail[:], scale, top)
		for _, t := range tail[:rest] {
			sum += t
		}
		copy(x[len(body):], tail[:rest])
	}
	scaleBy(x, body, 1/sum)
}

func scaleBy(x, body []float32, factor float32) {
	if len(body) > 0 {
		multiply(body, factor)
	}
	for i := len(body); i < len(x); i++ {
		x[i] *= factor
	}
}

// GELU replaces each x by x·Φ(x), with Φ the normal distribution.
func GELU(x []float32) {
	body := x[:len(x)&^(lanes-1)]
	if len(body) > 0 {
		gelu(body)
	}
	if len(body) < len(x) {
		var tail [lanes]float32
		copy(tail[:], x[len(body):])
		gelu(tail[:])
		copy(x[len(body):], tail[:])
	}
}

// AddNorm adds y to x, then shifts and scales x to mean 0 and variance 1 and
// applies gain and bias. All four have the same length. A y of nil is zero.
func AddNorm(x, y, gain, bias []float32, epsilon float32) {
	n := len(x)
	if n == 0 {
		return
	}
	gain, bias = gain[:n], bias[:n]
	body := n &^ (lanes - 1)
	var sum float32
	if y != nil {
		y = y[:n]
		if body > 0 {
			addTo(x[:body], y[:body])
		}
		for i := body; i < n; i++ {
			x[i] += y[i]
		}
	}
	if body > 0 {
		sum = total(x[:body])
	}
	for _, v := range x[body:] {
		sum += v
	}
	mean := sum / float32(n)
	var squares float32
	if body > 0 {
		squares = squareSum(x[:body], mean)
	}
	for _, v := range x[body:] {
		squares += (v - mean) * (v - mean)
	}
	factor := float32(1 / math.Sqrt(float64(squares)/float64(n)+float64(epsilon)))
	if body > 0 {
		normalize(x[:body], gain[:body], bias[:body], mean, factor)
	}
	for i := body; i < n; i++ {
		x[i] = (x[i]-mean)*factor*gain[i] + bias[i]
	}
}

// AddTo adds y, which is as long as x, to x.
func AddTo(x, y []float32) {
	y = y[:len(x)]
	body := len(x) &^ (lanes - 1)
	if body > 0 {
		addTo(x[:body], y[:body])
	}
	for i := body; i < len(x); i++ {
		x[i] += y[i]
	}
}
