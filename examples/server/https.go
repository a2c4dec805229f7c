package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme/autocert"
)

// tlsConfig is that of the built-in HTTPS, or nil for plain HTTP.
func (c config) tlsConfig() (*tls.Config, error) {
	switch {
	case len(c.TLSDomains) > 0:
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(c.TLSDomains...), Cache: autocert.DirCache(c.TLSCacheDir)}
		t := m.TLSConfig()
		t.MinVersion = tls.VersionTLS12
		return t, nil
	case c.TLSCertFile != "":
		f := &certificateFiles{cert: c.TLSCertFile, key: c.TLSKeyFile}
		if _, err := f.get(nil); err != nil {
			return nil, err
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.get, NextProtos: []string{"h2", "http/1.1"}}, nil
	}
	return nil, nil
}

// certificateFiles is a certificate that is read again when its files change, so
// that renewing it needs no restart.
type certificateFiles struct {
	cert, key string

	mu      sync.Mutex
	looked  time.Time // when the files were last looked at
	changed time.Time // the younger one's time of change when they were read
	loaded  *tls.Certificate
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = 5 * time.Second

// get implements tls.Config.GetCertificate. While the new files cannot be read,
// which is so between the writing of one and of the other, the old ones count.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loaded != nil && time.Since(f.looked) < lookEvery {
		return f.loaded, nil
	}
	f.looked = time.Now()
	changed, err := youngest(f.cert, f.key)
	if err == nil && (f.loaded == nil || !changed.Equal(f.changed)) {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(f.cert, f.key); err == nil {
			f.loaded, f.changed = &pair, changed
		}
	}
	if f.loaded == nil {
		return nil, fmt.Errorf("TLS_CERT_FILE, TLS_KEY_FILE: %w", err)
	}
	return f.loaded, nil
}

func youngest(paths ...string) (latest time.Time, err error) {
	for _, path := range paths {
		info, statErr := os.Stat(path)
		if statErr != nil {
			err = errors.Join(err, statErr)
			continue
		}
		if info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return latest, err
}
