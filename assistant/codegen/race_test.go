//go:build race

package codegen

func init() { slow = "the programs that it runs are not watched by -race; run it without" }
