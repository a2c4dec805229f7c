package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// health asks GET /health, for the health checks of containers.
func health(ctx context.Context, in invocation) error {
	flags := quietFlags("health")
	url := flags.String("url", "", "address of the server")
	if err := flags.Parse(in.args); err != nil {
		return usageError(err.Error())
	}
	if *url == "" {
		cfg, err := loadConfig(in.environ, in.dotenv)
		if err != nil {
			return err
		}
		host := cfg.Host
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		*url = "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port))
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, *url+"/health", nil)
	if err != nil {
		return usageError("-url must be an address like http://127.0.0.1:8000")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s/health answers %s", *url, resp.Status)
	}
	_, err = fmt.Fprintln(in.out, "healthy")
	return err
}
