package codegen

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bench is a directory with the snippets of one language.
type bench struct {
	*checkingServer
	dir     string
	sources []string
}

// prepare generates the snippets of the trials, and the files that they upload.
func prepare(t *testing.T, l Language, all []trial) *bench {
	t.Helper()
	b := &bench{checkingServer: newServer(t, all, l == JavaScript || l == TypeScript), dir: t.TempDir()}
	for n, c := range all {
		s, err := Generate(c.op, l, b.options(n))
		require.NoError(t, err)
		b.sources = append(b.sources, s.Source)
		p := b.plan(n)
		if p.body == nil {
			continue
		}
		for _, f := range append(p.body.fields, field{file: p.body.file}) {
			if f.file != "" {
				b.write(t, f.file, fileContent)
			}
		}
	}
	return b
}

func (b *bench) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(b.dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// run runs a program in the directory, with the credentials in its environment.
func (b *bench) run(t *testing.T, name string, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), environment(b.checkingServer)...)
	return cmd.CombinedOutput()
}

// slow, if it is not empty, says why programs are not run.
var slow string

// need skips where a program is missing.
func need(t *testing.T, program, where string) {
	t.Helper()
	if slow != "" {
		t.Skip(slow)
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not here (%s)", program, where)
	}
}

func TestRunCurl(t *testing.T) {
	need(t, "curl", "Debian package curl")
	need(t, "sh", "a POSIX shell")
	b := prepare(t, Curl, trials(t, 10))
	for n, s := range b.sources {
		b.write(t, fmt.Sprintf("%d.sh", n), s)
	}
	out, _ := b.run(t, "sh", "-c", `for f in *.sh; do sh "$f" >/dev/null || echo "$f failed"; done`)
	b.requireAllRight(t, out)
}

const pythonDriver = `
import glob, sys, traceback
for name in sorted(glob.glob("*.txt")):
    try:
        sys.stdout = open("/dev/null", "w")
        exec(compile(open(name, "rb").read(), name, "exec"), {"__name__": "__main__"})
    except BaseException as e:
        sys.stderr.write("%s: %s\n" % (name, "".join(traceback.format_exception_only(type(e), e))))
`

func TestRunPython(t *testing.T) {
	need(t, "python3", "Debian packages python3, python3-requests")
	python := "python3"
	if err := exec.Command(python, "-c", "import requests").Run(); err != nil {
		if os.Getenv("CODEGEN_PIP") != "1" {
			t.Skip("python3 has no requests (Debian package python3-requests, or CODEGEN_PIP=1 to install it)")
		}
		venv := t.TempDir()
		require.NoError(t, exec.Command(python, "-m", "venv", venv).Run())
		python = filepath.Join(venv, "bin", "python")
		out, err := exec.Command(python, "-m", "pip", "install", "-q", "requests").CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	b := prepare(t, Python, trials(t, 60))
	for n, s := range b.sources {
		b.write(t, fmt.Sprintf("%d.txt", n), s)
	}
	out, _ := b.run(t, python, "-c", pythonDriver)
	b.requireAllRight(t, out)
}

const nodeDriver = `
console.log = () => {};
for (let n = 0; n < Number(process.argv[2]); n++) {
  try { await import("./" + n + ".mjs"); } catch (e) { console.error(n, String(e)); }
}
`

func TestRunJavaScript(t *testing.T) {
	need(t, "node", "Debian package nodejs, version 18 or later")
	b := prepare(t, JavaScript, trials(t, 60))
	for n, s := range b.sources {
		b.write(t, fmt.Sprintf("%d.mjs", n), s)
	}
	b.write(t, "driver.mjs", nodeDriver)
	out, _ := b.run(t, "node", "driver.mjs", fmt.Sprint(len(b.sources)))
	b.requireAllRight(t, out)
}

// globals declares what TypeScript finds in @types/node.
const globals = `
declare const process: { env: Record<string, string | undefined> };
declare module "node:fs/promises" { export function readFile(path: string): Promise<Uint8Array<ArrayBuffer>>; }
`

func TestCompileTypeScript(t *testing.T) {
	need(t, "tsc", "npm install --global typescript")
	b := prepare(t, TypeScript, trials(t, 15))
	args := []string{"--outDir", ".", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler", "--lib", "es2022,dom", "globals.d.ts"}
	b.write(t, "globals.d.ts", globals)
	for n, s := range b.sources {
		b.write(t, fmt.Sprintf("%d.ts", n), s)
		args = append(args, fmt.Sprintf("%d.ts", n))
	}
	out, err := b.run(t, "tsc", args...)
	require.NoError(t, err, "%s", clip(string(out), 4000))
	if _, err := exec.LookPath("node"); err != nil {
		return
	}
	b.write(t, "package.json", `{"type": "module"}`)
	b.write(t, "driver.mjs", strings.Replace(nodeDriver, ".mjs", ".js", 1))
	out, _ = b.run(t, "node", "driver.mjs", fmt.Sprint(len(b.sources)))
	b.requireAllRight(t, out)
}

// TestRunGo builds all snippets as packages of one program.
func TestRunGo(t *testing.T) {
	need(t, "go", "the toolchain")
	if testing.Short() {
		t.Skip("builds some hundred packages")
	}
	b := prepare(t, Go, trials(t, 6))
	var imports, calls strings.Builder
	for n, s := range b.sources {
		s = strings.Replace(s, "package main\n", fmt.Sprintf("package p%d\n", n), 1)
		b.write(t, fmt.Sprintf("p%d/p.go", n), strings.Replace(s, "\nfunc main() {", "\nfunc Main() {", 1))
		fmt.Fprintf(&imports, "\t\"snippets/p%d\"\n", n)
		fmt.Fprintf(&calls, "\tcase \"%d\":\n\t\tp%d.Main()\n", n, n)
	}
	b.write(t, "go.mod", "module snippets\n\ngo 1.24\n")
	b.write(t, "main.go", "package main\n\nimport (\n\t\"os\"\n"+imports.String()+")\n\nfunc main() {\n\tswitch os.Args[1] {\n"+calls.String()+"\t}\n}\n")
	out, err := b.run(t, "go", "vet", "./...")
	require.NoError(t, err, "%s", clip(string(out), 4000))
	out, err = b.run(t, "go", "build", "-o", "snippets", ".")
	require.NoError(t, err, "%s", clip(string(out), 4000))
	var failures []byte
	for n := range b.sources { // each in a process of its own: they end with log.Fatal
		if out, err := b.run(t, filepath.Join(b.dir, "snippets"), fmt.Sprint(n)); err != nil {
			failures = append(failures, out...)
		}
	}
	b.requireAllRight(t, failures)
}

func TestRunJava(t *testing.T) {
	need(t, "javac", "Debian package default-jdk-headless")
	b := prepare(t, Java, trials(t, 6))
	main := "public class Main {\n  interface Call { void run() throws Exception; }\n  static void call(int n, Call c) {\n    try { c.run(); } catch (Throwable e) { System.err.println(n + \": \" + e); }\n  }\n  public static void main(String[] args) {\n    System.setOut(new java.io.PrintStream(java.io.OutputStream.nullOutputStream()));\n"
	args := []string{"-encoding", "UTF-8", "-d", "out", "Main.java"}
	for n, s := range b.sources {
		class := className(b.trials[n].op)
		file := fmt.Sprintf("p%d/%s.java", n, class)
		b.write(t, file, fmt.Sprintf("package p%d;\n", n)+s)
		args = append(args, file)
		main += fmt.Sprintf("    call(%d, () -> p%d.%s.main(args));\n", n, n, class)
	}
	b.write(t, "Main.java", main+"  }\n}\n")
	out, err := b.run(t, "javac", args...)
	require.NoError(t, err, "%s", clip(string(out), 4000))
	out, _ = b.run(t, "java", "-cp", "out", "Main")
	b.requireAllRight(t, out)
}

func TestRunPHP(t *testing.T) {
	need(t, "php", "Debian packages php-cli, php-curl")
	if out, err := exec.Command("php", "-m").Output(); err != nil || !strings.Contains(string(out), "curl") {
		t.Skip("php has no curl extension (Debian package php-curl)")
	}
	b := prepare(t, PHP, trials(t, 15))
	for n, s := range b.sources {
		b.write(t, fmt.Sprintf("%d.php", n), s)
	}
	out, _ := b.run(t, "sh", "-c", `for f in *.php; do php "$f" >"$f.out" 2>&1 || { echo "$f:"; cat "$f.out"; }; done`)
	b.requireAllRight(t, out)
}

const rubyDriver = `
Dir["*.rb"].sort.each do |name|
  begin
    load "./" + name, true
  rescue Exception => e
    $stderr.puts "#{name}: #{e.class} #{e.message}"
  end
end
`

func TestRunRuby(t *testing.T) {
	need(t, "ruby", "Debian package ruby")
	b := prepare(t, Ruby, trials(t, 40))
	for n, s := range b.sources {
		b.write(t, fmt.Sprintf("%d.rb", n), s)
	}
	out, _ := b.run(t, "ruby", "-Ku", "-e", "$stdout = File.open(File::NULL, 'w')\n"+rubyDriver)
	b.requireAllRight(t, out)
}

// jsonSerializer stands for System.Text.Json, which Mono does not have.
const jsonSerializer = `
namespace System.Text.Json
{
    public static class JsonSerializer
    {
        public static string Serialize(object value) { return new System.Web.Script.Serialization.JavaScriptSerializer().Serialize(value); }
    }
}
`

// TestRunCSharp compiles the snippets with Mono's compiler as classes of one
// program, and runs it where the runtime is there too.
func TestRunCSharp(t *testing.T) {
	need(t, "mcs", "Debian packages mono-mcs, libmono-system-net-http4.0-cil, libmono-system-web-extensions4.0-cil")
	all := slices.DeleteFunc(trials(t, 15), func(c trial) bool {
		return strings.Contains(c.op.Summary, "\u202e") // System.Uri drops marks of direction, encoded ones too
	})
	b := prepare(t, CSharp, all)
	main := "public static class All\n{\n    public static void Main()\n    {\n        var stdout = System.Console.Out;\n        System.Console.SetOut(System.IO.TextWriter.Null);\n"
	args := []string{"-out:all.exe", "-main:All", "-r:System.Net.Http.dll", "-r:System.Web.Extensions.dll", "json.cs", "all.cs"}
	for n, s := range b.sources {
		name := fmt.Sprintf("Program%d", n)
		b.write(t, name+".cs", strings.Replace(s, "class Program\n", "class "+name+"\n", 1))
		args = append(args, name+".cs")
		main += fmt.Sprintf("        try { %s.Main().Wait(); } catch (System.Exception e) { System.Console.Error.WriteLine(\"%d: \" + e.GetBaseException().Message); }\n", name, n)
	}
	b.write(t, "json.cs", jsonSerializer)
	b.write(t, "all.cs", main+"    }\n}\n")
	out, err := b.run(t, "mcs", args...)
	require.NoError(t, err, "%s", clip(string(out), 4000))
	if _, err := exec.LookPath("mono"); err != nil {
		t.Log("compiled, not run: mono is not here (Debian package mono-runtime)")
		return
	}
	out, _ = b.run(t, "mono", "all.exe")
	b.requireAllRight(t, out)
}

// TestRunRust builds the snippets as modules of one program, with the real
// reqwest.
func TestRunRust(t *testing.T) {
	need(t, "cargo", "https://rustup.rs, or Debian package cargo")
	if os.Getenv("CODEGEN_CARGO") != "1" {
		t.Skip("it downloads and builds reqwest for minutes: CODEGEN_CARGO=1 runs it")
	}
	b := prepare(t, Rust, trials(t, 6))
	main := ""
	calls := ""
	for n, s := range b.sources {
		b.write(t, fmt.Sprintf("src/p%d.rs", n), strings.Replace(s, "\nfn main()", "\npub fn main()", 1))
		main += fmt.Sprintf("mod p%d;\n", n)
		calls += fmt.Sprintf("    if let Err(e) = p%d::main() {\n        eprintln!(\"%d: {e}\");\n    }\n", n, n)
	}
	b.write(t, "src/main.rs", main+"\nfn main() {\n"+calls+"}\n")
	b.write(t, "Cargo.toml", "[package]\nname = \"snippets\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nreqwest = { version = \"0.12\", default-features = false, features = [\"blocking\", \"json\", \"multipart\"] }\nserde_json = \"1\"\n")
	if target := os.Getenv("CODEGEN_CARGO_TARGET"); target != "" {
		b.write(t, ".cargo/config.toml", "[build]\ntarget-dir = \""+target+"\"\n")
	}
	out, err := b.run(t, "cargo", "build", "--quiet")
	require.NoError(t, err, "%s", clip(string(out), 8000))
	out, _ = b.run(t, "cargo", "run", "--quiet")
	b.requireAllRight(t, out)
}
