package main

import (
	"context"
	"fmt"
	"net/http"

	assistantgaps "github.com/api-assistant/api-assistant/assistant/gaps"
)

// gaps prints what the documentation of the APIs leaves open.
func gaps(ctx context.Context, in invocation) error {
	flags := quietFlags("gaps")
	where := targetFlags(flags)
	if err := flags.Parse(in.args); err != nil || flags.NArg() > 0 {
		return usageError("it has no arguments but -url")
	}
	a, err := where.open(ctx, in)
	if err != nil {
		return err
	}
	defer a.close()
	var report assistantgaps.Report
	if err := a.do(ctx, http.MethodGet, "/gaps", "", http.NoBody, &report); err != nil {
		return err
	}
	for _, g := range report.Gaps {
		fmt.Fprintf(in.out, "%-8s %s: %s (%s)\n", g.Severity, g.Endpoint, g.Message, g.Place)
	}
	_, err = fmt.Fprintf(in.out, "score %d of 100, %d gaps in %d operations\n", report.Score, report.Total, report.Operations)
	return err
}
