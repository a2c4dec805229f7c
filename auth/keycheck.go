package auth

import (
	"errors"
	"net/http"
	"strings"
)

// Middleware lets requests with a right key pass, with their Principal in the
// context. The key is in X-API-Key or in "Authorization: Bearer"; a request with
// several different ones is refused, and so is one with its key anywhere else.
// The body is not read.
func (k *Keys) Middleware() Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if k.open.match(r) {
				next.ServeHTTP(w, r)
				return
			}
			key, ok := presented(r.Header)
			if !ok {
				closeAfter(w, r)
				refuseUnauthorized(k.refuse, w, r)
				return
			}
			h, err := k.lookup(r.Context(), key)
			if err != nil {
				k.refuseKey(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(&holderContext{r.Context(), h}))
		})
	}
}

// presented returns the one key of a request, if it could be one. It looks at no
// more of it than that takes.
func presented(h http.Header) (key string, ok bool) {
	direct, bearer := h["X-Api-Key"], h["Authorization"]
	if len(direct) > 1 || len(bearer) > 1 || len(direct)+len(bearer) == 0 {
		return "", false
	}
	if len(direct) == 1 {
		key = direct[0]
	}
	if len(bearer) == 1 {
		scheme, token, _ := strings.Cut(bearer[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || len(direct) == 1 && token != key {
			return "", false
		}
		key = token
	}
	return key, key != "" && len(key) <= maxKey && printable(key)
}

// refuseKey answers a request whose key did not pass: 401, or 429 to an address
// with too many wrong keys, or 503 if the store could not tell.
func (k *Keys) refuseKey(w http.ResponseWriter, r *http.Request, err error) {
	closeAfter(w, r)
	if !errors.Is(err, ErrUnknownKey) {
		k.complain.Do(func() { k.log.ErrorContext(r.Context(), "key store failed; requests are refused", "error", err) })
		k.refuse(w, r, Refusal{http.StatusServiceUnavailable, "unavailable", "API keys cannot be checked now; try again later"})
		return
	}
	if k.failed != nil {
		d, err := k.failed.Allow(r.Context(), addressBucket(k.client.Address(r)))
		if err != nil {
			k.complain.Do(func() {
				k.log.ErrorContext(r.Context(), "limiter of wrong keys failed; they are not counted", "error", err)
			})
		} else if !d.Allowed {
			setRetryAfter(w.Header(), d)
			k.refuse(w, r, Refusal{http.StatusTooManyRequests, "rate_limited", "there were too many wrong API keys from this address; try again later"})
			return
		}
	}
	refuseUnauthorized(k.refuse, w, r)
}

var challenge = []string{"ApiKey"}

func refuseUnauthorized(refuse RefuseFunc, w http.ResponseWriter, r *http.Request) {
	w.Header()["Www-Authenticate"] = challenge
	refuse(w, r, Refusal{http.StatusUnauthorized, "unauthorized", "a valid API key is needed in the header X-API-Key or Authorization: Bearer"})
}
