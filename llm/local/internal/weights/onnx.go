package weights

import (
	"fmt"
	"io"
	"strings"
)

// The fields of ONNX messages that are read.
const (
	modelGraph = 7

	graphNode        = 1
	graphInitializer = 5

	nodeInput     = 1
	nodeOutput    = 2
	nodeOperator  = 4
	nodeAttribute = 5

	attributeName    = 1
	attributeInteger = 3

	tensorShape    = 1
	tensorType     = 2
	tensorFloats   = 4
	tensorName     = 8
	tensorRaw      = 9
	tensorLocation = 14
)

var onnxKinds = map[uint64]kind{1: float32s, 10: float16s, 16: bfloat16s, 11: float64s, 6: int32s, 7: int64s}

const maxNodes = 100_000

// ONNX reads the weights of an ONNX file of the given size: the initializers of
// its graph. Exporters rename and transpose the weights of linear layers, but not
// their biases; so the weight that is multiplied with before "x.bias" is added is
// also known as "x.weight", in the orientation of PyTorch. The file must stay
// open for Set.Read.
func ONNX(file io.ReaderAt, size int64) (*Set, error) {
	g := graph{tensors: make(map[string]tensor)}
	model := newCursor(file, size)
	found := false
	err := model.each(func(f field) error {
		if f.number != modelGraph || !f.bytes {
			return nil
		}
		found = true
		return g.read(model.part(f))
	})
	if err == nil && !found {
		err = fmt.Errorf("there is no graph: this is no ONNX model")
	}
	if err != nil {
		return nil, err
	}
	g.nameWeights()
	return &Set{file: file, tensors: g.tensors}, nil
}

type graph struct {
	tensors map[string]tensor
	nodes   []node
}

type node struct {
	operator        string
	inputs, outputs []string
	transposed      bool // Gemm: the second factor is, as PyTorch has it
}

func (g *graph) read(c *cursor) error {
	return c.each(func(f field) error {
		if f.number != graphNode && f.number != graphInitializer || !f.bytes {
			return nil
		}
		if len(g.nodes) >= maxNodes || len(g.tensors) >= maxTensors {
			return fmt.Errorf("more than %d nodes or %d tensors", maxNodes, maxTensors)
		}
		if f.number == graphNode {
			n, err := readNode(c.part(f))
			g.nodes = append(g.nodes, n)
			return err
		}
		name, t, err := readTensor(c.part(f))
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		g.tensors[name] = t
		return nil
	})
}

func readNode(c *cursor) (node, error) {
	var n node
	err := c.each(func(f field) error {
		var text string
		var err error
		switch f.number {
		case nodeInput, nodeOutput, nodeOperator:
			if text, err = c.text(f); err != nil {
				return err
			}
		}
		switch f.number {
		case nodeInput:
			n.inputs = append(n.inputs, text)
		case nodeOutput:
			n.outputs = append(n.outputs, text)
		case nodeOperator:
			n.operator = text
		case nodeAttribute:
			return n.readAttribute(c.part(f))
		}
		return nil
	})
	return n, err
}

func (n *node) readAttribute(c *cursor) error {
	var name string
	var value uint64
	err := c.each(func(f field) (err error) {
		switch f.number {
		case attributeName:
			name, err = c.text(f)
		case attributeInteger:
			value = f.value
		}
		return err
	})
	if name == "transB" {
		n.transposed = value != 0
	}
	return err
}

func readTensor(c *cursor) (string, tensor, error) {
	var (
		name string
		t    tensor
	)
	dimension := func(v uint64) error {
		if v > 1<<31 || len(t.shape) >= 8 {
			return fmt.Errorf("dimension %d is %d", len(t.shape), v)
		}
		t.shape = append(t.shape, int(v))
		return nil
	}
	err := c.each(func(f field) (err error) {
		switch f.number {
		case tensorShape:
			if !f.bytes {
				return dimension(f.value)
			}
			for p := c.part(f); p.at < p.end; {
				v, err := p.varint()
				if err != nil {
					return err
				}
				if err := dimension(v); err != nil {
					return err
				}
			}
		case tensorType:
			t.kind = onnxKinds[f.value]
		case tensorName:
			name, err = c.text(f)
		case tensorRaw, tensorFloats:
			if !f.bytes {
				return fmt.Errorf("%w: its values are stored one by one", ErrUnsupported)
			}
			t.offset, t.bytes = f.at, f.end-f.at
		case tensorLocation:
			if f.value != 0 {
				return fmt.Errorf("%w: its values are in another file", ErrUnsupported)
			}
		}
		return err
	})
	if err != nil {
		return name, tensor{}, err
	}
	n, err := count(t.shape)
	if w := width[t.kind]; err == nil && w != 0 && t.bytes != n*w {
		if t.kind != float32s && t.bytes == 0 {
			t.kind = other // in one of the fields for integers: not a weight
		} else {
			err = fmt.Errorf("its shape %v needs %d bytes, not %d", t.shape, n*w, t.bytes)
		}
	}
	return name, t, err
}

// nameWeights gives the weights of linear layers the names that belong to their
// biases.
func (g *graph) nameWeights() {
	factors := make(map[string]node) // by their output
	for _, n := range g.nodes {
		if (n.operator == "MatMul" || n.operator == "Gemm") && len(n.inputs) >= 2 && len(n.outputs) == 1 {
			factors[n.outputs[0]] = n
		}
	}
	for _, n := range g.nodes {
		switch {
		case n.operator == "Gemm" && len(n.inputs) == 3:
			g.nameWeight(n, n.inputs[2])
		case n.operator == "Add" && len(n.inputs) == 2:
			for i, input := range n.inputs {
				if factor, ok := factors[input]; ok {
					g.nameWeight(factor, n.inputs[1-i])
				}
			}
		}
	}
}

func (g *graph) nameWeight(factor node, bias string) {
	base, ok := strings.CutSuffix(bias, ".bias")
	t, known := g.tensors[factor.inputs[1]]
	if !ok || !known || len(t.shape) != 2 {
		return
	}
	if !factor.transposed {
		t.shape = []int{t.shape[1], t.shape[0]}
		t.transposed = true
	}
	g.tensors[base+".weight"] = t
}
