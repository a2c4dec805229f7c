package openai

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// Limits is what a server says about its rate limits (x-ratelimit-*). What it
// does not say is 0.
type Limits struct {
	Requests      int // in a period of the provider's choice
	RequestsLeft  int
	RequestsReset time.Duration // until Requests are there again, from the answer on
	Tokens        int
	TokensLeft    int
	TokensReset   time.Duration
}

func limitsOf(h http.Header) Limits {
	number := func(name string) int {
		n, err := strconv.Atoi(h.Get(name))
		if err != nil {
			return 0
		}
		return max(n, 0)
	}
	return Limits{
		Requests: number("X-Ratelimit-Limit-Requests"), RequestsLeft: number("X-Ratelimit-Remaining-Requests"),
		RequestsReset: duration(h.Get("X-Ratelimit-Reset-Requests")),
		Tokens:        number("X-Ratelimit-Limit-Tokens"), TokensLeft: number("X-Ratelimit-Remaining-Tokens"),
		TokensReset: duration(h.Get("X-Ratelimit-Reset-Tokens")),
	}
}

// maxRetryAfter bounds what a server may ask for; beyond it is nonsense.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter is how long a server wants to be left alone: Retry-After-Ms, then
// Retry-After in seconds or as a date, then, after 429, the reset of the limit
// that is used up. 0 if it does not say.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	h := resp.Header
	if d := seconds(h.Get("Retry-After-Ms"), time.Millisecond); d > 0 {
		return d
	}
	if after := h.Get("Retry-After"); after != "" {
		if date, err := http.ParseTime(after); err == nil {
			// By the server's own clock, if it shows it.
			if sent, err := http.ParseTime(h.Get("Date")); err == nil {
				now = sent
			}
			return bound(date.Sub(now))
		}
		return seconds(after, time.Second)
	}
	if resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	var longest time.Duration
	for _, what := range []string{"Requests", "Tokens"} {
		if h.Get("X-Ratelimit-Remaining-"+what) == "0" {
			longest = max(longest, duration(h.Get("X-Ratelimit-Reset-"+what)))
		}
	}
	return longest
}

// duration reads "2m59.56s", or a number of seconds.
func duration(s string) time.Duration {
	if d, err := time.ParseDuration(s); err == nil {
		return bound(d)
	}
	return seconds(s, time.Second)
}

// seconds reads a number of units; what is none is 0.
func seconds(s string, unit time.Duration) time.Duration {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) {
		return 0
	}
	n = math.Ceil(n * float64(unit))
	if n >= float64(maxRetryAfter) {
		return maxRetryAfter
	}
	return bound(time.Duration(max(n, 0)))
}

func bound(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }
