// Command embed has the assistant inside a backend that was there before it: an
// ordinary net/http server, with its own routes and its own health check.
//
//	SECRET_KEY=… API_KEY=… go run ./examples/embed
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/auth"
	"github.com/api-assistant/api-assistant/httpapi"
)

func main() {
	handler, closeAll, err := backend(os.Getenv("SECRET_KEY"), os.Getenv("API_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	defer closeAll()
	log.Print(http.ListenAndServe("127.0.0.1:8080", handler))
}

// backend is the existing server with the assistant below /assistant/.
func backend(secret, key string) (http.Handler, func() error, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) { // what was there before
		_, _ = w.Write([]byte("hello"))
	})
	keys, err := auth.APIKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key}}})
	if err != nil {
		return nil, nil, err
	}
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 20})
	if err != nil {
		return nil, nil, err
	}
	a, err := assistant.New(assistant.Config{}) // in memory, no model; see assistant.Config for more
	if err != nil {
		return nil, nil, err
	}
	api := http.StripPrefix("/assistant", httpapi.New(a, httpapi.Options{}))
	mux.Handle("/assistant/", auth.Chain(api, auth.SecurityHeaders(), keys, limit))
	return mux, a.Close, nil
}
