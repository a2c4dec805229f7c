module github.com/api-assistant/api-assistant/auth/compare

go 1.26.0

require (
	github.com/api-assistant/api-assistant v0.0.0
	github.com/go-chi/httprate v0.16.1
	github.com/rs/cors v1.11.1
)

require (
	github.com/klauspost/cpuid/v2 v2.2.10 // indirect
	github.com/zeebo/xxh3 v1.0.2 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

replace github.com/api-assistant/api-assistant => ../..
