//go:build !linux

package chromem_test

import "errors"

func writeUntilFull(string) error { return errors.New("only on Linux") }
