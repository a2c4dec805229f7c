module github.com/api-assistant/api-assistant/vectorstore/compare

go 1.26.0

require (
	github.com/api-assistant/api-assistant v0.0.0
	github.com/philippgille/chromem-go v0.7.0
)

require (
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/api-assistant/api-assistant => ../..
