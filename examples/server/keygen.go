package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/api-assistant/api-assistant/auth"
)

// keygen prints new secrets as lines of a .env file.
func keygen(_ context.Context, in invocation) error {
	flags := quietFlags("keygen")
	n := flags.Int("n", 1, "keys")
	if err := flags.Parse(in.args); err != nil {
		return usageError(err.Error())
	}
	if *n < 1 || *n > 1000 || flags.NArg() > 0 {
		return usageError("-n must be 1 to 1000, and there are no arguments")
	}
	keys := make([]string, *n)
	for i := range keys {
		keys[i] = auth.GenerateKey()
	}
	_, err := fmt.Fprintf(in.out, "SECRET_KEY=%s\nAPI_KEYS=%s\n", auth.GenerateSecret(), strings.Join(keys, ","))
	return err
}

// quietFlags is a flag set whose mistakes dispatch prints.
func quietFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}
