package auth

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// Principal is who a request comes from.
type Principal struct {
	// ID is the same for the same key and secret, and says nothing about the key:
	// 16 hexadecimal characters of its keyed digest.
	ID     string
	Name   string   // optional
	Scopes []string // what the principal may do; optional
}

// HasScope reports whether the principal may do what a scope stands for. Scopes
// are compared exactly; none implies another.
func (p Principal) HasScope(scope string) bool { return slices.Contains(p.Scopes, scope) }

// holder is a principal as the context carries it and as memory has its key: the
// digest, not the key.
type holder struct {
	Principal
	bucket  string // what its requests are counted under
	digest  Digest
	expires time.Time
}

func newHolder(p Principal) holder {
	const prefix = "key:"
	bucket := prefix + p.ID
	p.ID, p.Scopes = bucket[len(prefix):], slices.Clone(p.Scopes)
	return holder{Principal: p, bucket: bucket}
}

type holderKey struct{}

// holderContext is what context.WithValue returns, smaller.
type holderContext struct {
	context.Context
	holder *holder
}

func (c *holderContext) Value(key any) any {
	if key == (holderKey{}) {
		return c.holder
	}
	return c.Context.Value(key)
}

func holderFrom(ctx context.Context) *holder {
	h, _ := ctx.Value(holderKey{}).(*holder)
	return h
}

// PrincipalFrom returns the principal of a request that passed Keys.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	h := holderFrom(ctx)
	if h == nil {
		return Principal{}, false
	}
	return h.principal(), true
}

func (h *holder) principal() Principal {
	p := h.Principal
	p.Scopes = slices.Clone(p.Scopes)
	return p
}

// WithPrincipal returns a context with a principal that something else than Keys
// has found, such as a check of tokens: RateLimit and RequireScopes then work the
// same. The ID must be unique among principals.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	h := newHolder(p)
	return &holderContext{ctx, &h}
}

// RequireScopes lets requests pass whose principal has all of the scopes; others
// are refused with 403, and requests without a principal with 401. It stands
// inside of the keys, around the handlers that need it. A nil refuse means JSON.
func RequireScopes(scopes []string, refuse RefuseFunc) Middleware {
	scopes = slices.Clone(scopes)
	refuse = refuseWith(refuse)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := holderFrom(r.Context())
			if h == nil {
				closeAfter(w, r)
				refuseUnauthorized(refuse, w, r)
				return
			}
			for _, scope := range scopes {
				if !h.HasScope(scope) {
					closeAfter(w, r)
					refuse(w, r, Refusal{http.StatusForbidden, "forbidden", "the API key lacks a scope that this request needs"})
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}
