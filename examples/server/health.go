package main

import (
	"context"
	"crypto/tls"
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
	own := *url == ""
	if own {
		cfg, err := loadConfig(in.environ, in.dotenv)
		if err != nil {
			return err
		}
		host := cfg.Host
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		scheme := "http://"
		if len(cfg.TLSDomains) > 0 || cfg.TLSCertFile != "" {
			scheme = "https://"
		}
		*url = scheme + net.JoinHostPort(host, strconv.Itoa(cfg.Port))
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, *url+"/health", nil)
	if err != nil {
		return usageError("-url must be an address like http://127.0.0.1:8000")
	}
	// It asks its own machine, which the certificate does not name.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: own}}}
	resp, err := client.Do(r)
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
