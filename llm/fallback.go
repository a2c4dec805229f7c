package llm

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Fallback returns a model that asks the first model and, when it fails before
// it has streamed any text, the next. If all fail the errors are joined, that
// of the first model first. The end of ctx ends it. Decorate each model on its
// own: a Breaker around one makes the next take over at once.
func Fallback(models ...LLM) LLM {
	return StreamFunc(func(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
		return func(yield func(Chunk, error) bool) {
			var failed []error
			for _, model := range models {
				p := forward(model.Stream(ctx, req), yield)
				if p.stopped || p.err == nil {
					return
				}
				failed = append(failed, p.err)
				if p.text || ctx.Err() != nil {
					break
				}
			}
			yield(Chunk{}, joined(failed))
		}
	})
}

// FallbackEmbedder returns an embedder that asks the first embedder and, when it
// fails, the next. All must make the same vectors (one model served at several
// places), so it is an error if their names or their dimensions differ.
func FallbackEmbedder(first Embedder, next ...Embedder) (Embedder, error) {
	for _, e := range next {
		if e.Name() != first.Name() {
			return nil, fmt.Errorf("%w: vectors of %q and of %q cannot be mixed", ErrInvalid, first.Name(), e.Name())
		}
		if a, b := first.Dimensions(), e.Dimensions(); a != 0 && b != 0 && a != b {
			return nil, fmt.Errorf("%w: %q has vectors of %d and of %d dimensions", ErrInvalid, e.Name(), a, b)
		}
	}
	return embedFunc{first, func(ctx context.Context, texts []string) ([][]float32, error) {
		var failed []error
		for _, e := range append([]Embedder{first}, next...) {
			vectors, err := e.Embed(ctx, texts)
			if err == nil {
				return vectors, nil
			}
			if failed = append(failed, err); ctx.Err() != nil {
				break
			}
		}
		return nil, joined(failed)
	}}, nil
}

func joined(failed []error) error {
	switch len(failed) {
	case 0:
		return &Error{Kind: ErrInvalid, Cause: errors.New("there is no model to ask")}
	case 1:
		return failed[0]
	}
	return errors.Join(failed...)
}

// Route is a model that asks another one by the role of the request; a role
// that it does not have goes to RoleGeneral. It must not be changed while it is
// in use.
type Route map[Role]LLM

// Stream implements LLM.
func (r Route) Stream(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
	for _, role := range []Role{req.Role, RoleGeneral} {
		if model := r[role]; model != nil {
			return model.Stream(ctx, req)
		}
	}
	return func(yield func(Chunk, error) bool) {
		yield(Chunk{}, &Error{Kind: ErrInvalid, Cause: fmt.Errorf("no model has the role %q or %q", req.Role, RoleGeneral)})
	}
}
