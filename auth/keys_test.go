package auth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

func TestKeys(t *testing.T) {
	h := keys(t, nil).Middleware()(served)
	long := strings.Repeat("x", 1<<20)
	tests := []struct {
		name, method, target string
		header               http.Header
		want                 int
	}{
		{"right key", "POST", "/search", http.Header{"X-API-Key": {key}}, 200},
		{"bearer", "POST", "/search", http.Header{"Authorization": {"Bearer " + key}}, 200},
		{"bearer in lower case", "POST", "/search", http.Header{"Authorization": {"bearer " + key}}, 200},
		{"both alike", "POST", "/search", http.Header{"X-API-Key": {key}, "Authorization": {"Bearer " + key}}, 200},
		{"none", "POST", "/search", nil, 401},
		{"empty", "POST", "/search", http.Header{"X-API-Key": {""}}, 401},
		{"prefix", "POST", "/search", http.Header{"X-API-Key": {key[:len(key)-1]}}, 401},
		{"longer", "POST", "/search", http.Header{"X-API-Key": {key + "x"}}, 401},
		{"other case", "POST", "/search", http.Header{"X-API-Key": {strings.ToUpper(key)}}, 401},
		{"quoted", "POST", "/search", http.Header{"X-API-Key": {`"` + key + `"`}}, 401},
		{"spaces", "POST", "/search", http.Header{"X-API-Key": {" " + key}}, 401},
		{"list", "POST", "/search", http.Header{"X-API-Key": {key + "," + key}}, 401},
		{"encoded", "POST", "/search", http.Header{"X-API-Key": {strings.ReplaceAll(key, "-", "%2D")}}, 401},
		{"two headers, the second right", "POST", "/search", http.Header{"X-API-Key": {"wrong", key}}, 401},
		{"two headers, both right", "POST", "/search", http.Header{"X-API-Key": {key, key}}, 401},
		{"both, different", "POST", "/search", http.Header{"X-API-Key": {key}, "Authorization": {"Bearer x"}}, 401},
		{"basic", "POST", "/search", http.Header{"Authorization": {"Basic " + key}}, 401},
		{"in the query", "POST", "/search?api_key=" + key + "&X-API-Key=" + key, nil, 401},
		{"in a cookie", "POST", "/search", http.Header{"Cookie": {"X-API-Key=" + key}}, 401},
		{"megabyte", "POST", "/search", http.Header{"X-API-Key": {long}}, 401},
		{"not ASCII", "POST", "/search", http.Header{"X-API-Key": {"ключ\x00\x7f"}}, 401},
		{"open", "GET", "/health", nil, 200},
		{"open, wrong key", "GET", "/health", http.Header{"X-API-Key": {"wrong"}}, 200},
		{"open for HEAD", "HEAD", "/health", nil, 200},
		{"not open for POST", "POST", "/health", nil, 401},
		{"spelling", "GET", "//health", nil, 401},
		{"spelling", "GET", "/health/", nil, 401},
		{"spelling", "GET", "/health/../search", nil, 401},
		{"rewritten", "POST", "/search", http.Header{"X-Original-URL": {"/health"}, "X-HTTP-Method-Override": {"GET"}, "X-Forwarded-For": {"127.0.0.1"}}, 401},
	}
	for _, tt := range tests {
		w := do(h, tt.method, tt.target, tt.header)
		require.Equal(t, tt.want, w.Code, tt.name)
		if tt.want == 401 {
			require.Equal(t, "ApiKey", w.Header().Get("WWW-Authenticate"), tt.name)
			require.JSONEq(t, `{"error":"unauthorized","message":"a valid API key is needed in the header X-API-Key or Authorization: Bearer","detail":null,"request_id":""}`, w.Body.String())
		}
	}
}

func TestRefusedBodyIsNotRead(t *testing.T) {
	server := httptest.NewServer(keys(t, nil).Middleware()(served))
	defer server.Close()
	body, write := io.Pipe()
	defer write.Close()
	r, err := http.NewRequest("POST", server.URL+"/search", body) // never sends a byte
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 401, response.StatusCode)
	require.True(t, response.Close, "what is left of the body is not taken for a request")
}

func TestRotateDuringTraffic(t *testing.T) {
	k := keys(t, nil)
	h := k.Middleware()(served)
	other := auth.GenerateKey()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 200 {
				if code := do(h, "GET", "/", http.Header{"X-API-Key": {key}}).Code; code != 200 {
					t.Errorf("the key that stays was refused: %d", code)
				}
			}
		})
	}
	for range 50 {
		require.NoError(t, k.Rotate(auth.Key{Key: key}, auth.Key{Key: other}))
		require.NoError(t, k.Rotate(auth.Key{Key: key}))
	}
	clients.Wait()
	_, err := k.Lookup(t.Context(), other)
	require.ErrorIs(t, err, auth.ErrUnknownKey)
	require.Error(t, k.Rotate(), "no keys at all")
	_, err = k.Lookup(t.Context(), key)
	require.NoError(t, err, "after an error the old keys stay")
}

func TestPrincipal(t *testing.T) {
	k := keys(t, nil)
	p, err := k.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "test", p.Name)
	require.Len(t, p.ID, 16)
	again, _ := keys(t, nil).Lookup(t.Context(), key)
	require.Equal(t, p.ID, again.ID, "the same key and secret give the same principal")
	other, _ := keys(t, func(c *auth.KeysConfig) { c.Secret = auth.GenerateSecret() }).Lookup(t.Context(), key)
	require.NotEqual(t, p.ID, other.ID)
	require.Regexp(t, `^api-key-[A-Za-z0-9_-]{43}$`, auth.GenerateKey())
	require.Regexp(t, `^[0-9a-f]{64}$`, auth.GenerateSecret())
	require.NotEqual(t, auth.GenerateKey(), auth.GenerateKey())
}

func TestWrongKeysAreLimitedByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := keys(t, func(c *auth.KeysConfig) { c.FailedPerMinute = 3 }).Middleware()(served)
		from := func(address, key string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = address
			r.Header.Set("X-API-Key", key)
			r.Header.Set("X-Forwarded-For", fmt.Sprint("10.0.0.", time.Now().Nanosecond()%200)) // does not help
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		for _, key := range []string{"", "\x00", strings.Repeat("x", 10_000)} {
			require.Equal(t, 401, from("192.0.2.1:1000", key).Code, "what cannot be a key is not an attempt")
		}
		for range 3 {
			require.Equal(t, 401, from("192.0.2.1:1000", "wrong-key-wrong-key-wrong").Code)
		}
		w := from("192.0.2.1:1001", "wrong-key-wrong-key-wrong")
		require.Equal(t, 429, w.Code)
		require.Equal(t, "20", w.Header().Get("Retry-After"))
		require.Equal(t, 200, from("192.0.2.1:1002", key).Code, "a right key goes on working")
		require.Equal(t, 401, from("192.0.2.2:1000", "wrong-key-wrong-key-wrong").Code, "other addresses are not affected")
		time.Sleep(20 * time.Second)
		require.Equal(t, 401, from("192.0.2.1:1000", "wrong-key-wrong-key-wrong").Code)
	})
}

// FuzzKeys sends any headers: nobody gets in without the key, whatever stands
// where, and the answer never repeats what was sent.
func FuzzKeys(f *testing.F) {
	f.Add(key, "Bearer "+key, "", "")
	f.Add(key+" ", "bearer  "+key, key, "Basic eA==")
	f.Add("", "Bearer", "\x00", "Bearer \xff")
	h := keys(f, nil).Middleware()(served)
	f.Fuzz(func(t *testing.T, direct, bearer, direct2, bearer2 string) {
		header := http.Header{}
		for name, values := range map[string][]string{"X-Api-Key": {direct, direct2}, "Authorization": {bearer, bearer2}} {
			for _, v := range values {
				if v != "" {
					header[name] = append(header[name], v)
				}
			}
		}
		w := do(h, "GET", "/", header)
		given := append(slices.Clone(header["X-Api-Key"]), header["Authorization"]...)
		switch w.Code {
		case 200:
			require.NotEmpty(t, given)
			for _, v := range given {
				require.True(t, v == key || strings.EqualFold(v, "Bearer "+key) && strings.HasSuffix(v, key), "%q", v)
			}
			require.Less(t, len(header["X-Api-Key"]), 2)
			require.Less(t, len(header["Authorization"]), 2)
		case 401:
			require.False(t, len(given) == 1 && (given[0] == key || given[0] == "Bearer "+key))
			require.NotContains(t, w.Body.String(), key)
		default:
			t.Fatal(w.Code)
		}
	})
}
