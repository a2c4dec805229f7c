// Package sample has the API description that the examples and tests use: an
// imaginary bookshop, written for this project.
//
//	source, err := ingest.Parse(ctx, "bookshop.yaml", bytes.NewReader(sample.Bookshop), ingest.Options{})
package sample

import _ "embed"

// Bookshop is an OpenAPI 3.1 description in YAML, of 15 operations and a
// webhook.
//
//go:embed bookshop.yaml
var Bookshop []byte

// BookshopName is the file name that goes with Bookshop.
const BookshopName = "bookshop.yaml"
