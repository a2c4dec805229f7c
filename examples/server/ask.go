package main

import (
	"context"
	"fmt"
	"strings"
)

// search prints the documents that a query finds.
func search(ctx context.Context, in invocation) error {
	flags := quietFlags("search")
	where := targetFlags(flags)
	n := flags.Int("n", 5, "how many")
	mode := flags.String("mode", "hybrid", "vector, lexical, hybrid or reranked")
	if err := flags.Parse(in.args); err != nil {
		return usageError(err.Error())
	}
	a, err := where.open(ctx, in)
	if err != nil {
		return err
	}
	defer a.close()
	var found struct {
		Results []struct {
			ID, Content string
			Score       float64
		}
	}
	err = a.post(ctx, "/search", map[string]any{"query": strings.Join(flags.Args(), " "), "n_results": *n, "mode": *mode}, &found)
	if err != nil {
		return err
	}
	for _, r := range found.Results {
		first, _, _ := strings.Cut(r.Content, "\n")
		fmt.Fprintf(in.out, "%.3f  %s  (%s)\n", r.Score, first, r.ID)
	}
	return nil
}

// ask prints an answer, what it cites, and what the catalogue says of it.
func ask(ctx context.Context, in invocation) error {
	flags := quietFlags("ask")
	where := targetFlags(flags)
	if err := flags.Parse(in.args); err != nil {
		return usageError(err.Error())
	}
	a, err := where.open(ctx, in)
	if err != nil {
		return err
	}
	defer a.close()
	var answer struct {
		Response     string
		Sources      []struct{ Title string }
		Verification struct{ Endpoints []finding }
	}
	if err := a.post(ctx, "/chat", map[string]any{"message": strings.Join(flags.Args(), " ")}, &answer); err != nil {
		return err
	}
	fmt.Fprintln(in.out, answer.Response)
	if len(answer.Sources) > 0 {
		fmt.Fprintln(in.out, "\nSources:")
	}
	for i, s := range answer.Sources {
		fmt.Fprintf(in.out, "  [%d] %s\n", i+1, s.Title)
	}
	printFindings(in.out, answer.Verification.Endpoints)
	return nil
}
