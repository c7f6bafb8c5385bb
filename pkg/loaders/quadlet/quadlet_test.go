package quadlet_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/derekg1729/dsnlint/pkg/internal/source/sourcetest"
	"github.com/derekg1729/dsnlint/pkg/internal/testtree"
	"github.com/derekg1729/dsnlint/pkg/loaders"
	"github.com/derekg1729/dsnlint/pkg/loaders/quadlet"
	"github.com/derekg1729/dsnlint/pkg/manifest"
)

// load loads the units of a tree as a walk would.
func load(t testing.TB, files map[string]string) ([]manifest.Container, []*manifest.Problem) {
	t.Helper()
	dir := t.TempDir()
	testtree.Write(t, dir, files)
	tree := sourcetest.Open(t, dir)
	found := loaders.Load(context.Background(), loaders.Options{Tree: tree, Paths: []string{dir}, Loaders: []loaders.Loader{quadlet.Loader{}, yaml{}}})
	return found.Containers, found.Problems
}

// yaml is a loader of nothing: messages name two dialects at least.
type yaml struct{ quadlet.Loader }

func (yaml) Dialect() *manifest.Dialect     { return &manifest.Dialect{} }
func (yaml) Claims(string) (bool, []string) { return false, nil }

// deliveries writes each delivery as channel NAME=value, where <NAME> is a reference
// without a value, and "aside" or the file stands behind it where it is another's.
func deliveries(c *manifest.Container) []string {
	var lines []string
	for _, d := range c.Deliveries {
		value := ""
		for _, part := range d.Expr {
			if part.Ref == nil {
				text, _ := part.Literal.Reveal()
				value += text
			} else if text, ok := part.Ref.Value.Eval().Reveal(); ok {
				value += text
			} else {
				value += "<" + part.Ref.Name + ">"
			}
		}
		line := fmt.Sprintf("%s %s=%s", d.Channel, d.Name, value)
		if d.Aside {
			line += " aside"
		}
		if file := d.Position().File; path.Ext(file) != ".container" {
			line += " " + file
		}
		lines = append(lines, line)
	}
	return lines
}

func TestDeliveries(t *testing.T) {
	for name, test := range map[string]struct {
		unit string
		more map[string]string
		want []string
	}{
		"the order of sources": {
			unit: "[Service]\nEnvironment=A=host B=host C=host D=host\n[Container]\nSecret=s,type=env,target=D\nEnvironment=C=env D=env\nEnvironmentFile=a.env\nEnvironmentHost=yes\n",
			more: map[string]string{"a.env": "B=file\nC=file\nD=file\n"},
			want: []string{"env A=host", "env B=file a.env", "env C=env", "env D=<s>"},
		},
		"options come last": {
			unit: "[Container]\nPodmanArgs=--env A=option --env-file /etc/x\nEnvironment=A=key\nPodmanArgs=-e B\n",
			want: []string{"env A=option", "env B=<B>"},
		},
		"unknown options and their values": {
			unit: "[Container]\nPodmanArgs=--cpus=2 --foo bar --env\n",
			want: []string{"argument PodmanArgs=--cpus=2", "argument PodmanArgs=--foo", "argument PodmanArgs=bar", "argument PodmanArgs=--env"},
		},
		"specifiers": {
			unit: "[Container]\nEnvironment=A=%h/x B=p%40ss C=100%% D=%i${E}\n[Service]\nEnvironment=E=%n$$\n",
			want: []string{"env A=<%h>/x", "env B=p%40ss", "env C=100%", "env D=<%i><E>"},
		},
		"an env file takes everything for text": {
			unit: "[Service]\nEnvironment=Y=y\n[Container]\nEnvironmentFile=a.env\n",
			more: map[string]string{"a.env": " A=\"$X %h\" # no\nX\nY\n"},
			want: []string{"env A=\"$X %h\" # no a.env", "env Y=y a.env", "env X=<X> aside a.env"},
		},
		"all variables with a prefix": {
			unit: "[Service]\nEnvironment=PA=1 PB=2 Q=3\n[Container]\nEnvironment=P*\n",
			want: []string{"env PA=1", "env PB=2"},
		},
		"a slip in a name": {
			unit: "[Container]\nEnvironment=POSTGRES_ROOT_PASSWORD:x h+2 ${X}=y ${Z}\n",
			want: []string{"env POSTGRES_ROOT_PASSWORD=<POSTGRES_ROOT_PASSWORD>", "env ***=<***> aside", "env ***=y aside", "env ***=<Z> aside"},
		},
		"the last of what is not a list": {
			unit: "[Container]\nExec=a\nEntrypoint=b\nHealthCmd=c d\nExec=\nEntrypoint=\"e f\"\nReloadCmd=r 's t'\n",
			want: []string{"argument Entrypoint=e f", "argument HealthCmd=c d", "argument ReloadCmd=r", "argument ReloadCmd=s t"},
		},
		"a pod's": {
			unit: "[Container]\nPod=p.pod\nLabel=a=b\nAnnotation=\"c=d e\"\n",
			more: map[string]string{"p.pod": "[Pod]\nLabel=f=g\nVolume=./pw:/pw\n", "pw": ""},
			want: []string{"metadata a=b", "metadata f=g p.pod", "metadata c=d e", "file /pw=<pw> p.pod"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"u.container": test.unit}
			for name, text := range test.more {
				files[name] = text
			}
			containers, problems := load(t, files)
			if len(containers) != 1 {
				t.Fatalf("%d containers, problems %v", len(containers), problems)
			}
			if diff := cmp.Diff(test.want, deliveries(&containers[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDropIns checks the order of drop-ins: by name, and of one name the one in the
// most specific directory.
func TestDropIns(t *testing.T) {
	dirs := []string{"a-b@i.container.d", "a-b@.container.d", "a-@.container.d", "a-.container.d", "container.d"}
	files := map[string]string{"a-b@i.container": "[Container]\nEnvironment=X=unit\n"}
	var want []string
	for i, dir := range dirs {
		for j := i; j < len(dirs); j++ {
			files[path.Join(dir, fmt.Sprintf("%d.conf", j))] = fmt.Sprintf("[Container]\nEnvironment=V%d=%d X=%d\n", j, i, j)
		}
	}
	for j := range dirs {
		want = append(want, fmt.Sprintf("env V%d=0 a-b@i.container.d/%d.conf", j, j))
	}
	want = append(want, "env X=4 a-b@i.container.d/4.conf")
	containers, problems := load(t, files)
	if len(containers) != 1 || len(problems) > 0 {
		t.Fatalf("%d containers, problems %v", len(containers), problems)
	}
	if diff := cmp.Diff(want, deliveries(&containers[0])); diff != "" {
		t.Error(diff)
	}
}

// TestProblems checks that what is wrong is reported at its place, shows no value, and
// hides nothing else.
func TestProblems(t *testing.T) {
	for name, test := range map[string]struct {
		files      map[string]string
		want       []string
		containers int
	}{
		"an invalid line":        {map[string]string{"a.container": "[Container]\nhunter2\nEnvironment=A=1\n"}, []string{"error a.container:2:1"}, 1},
		"an escape":              {map[string]string{"a.container": "[Container]\nEnvironment=A=hunter2\\d\n"}, []string{"error a.container:2:22"}, 1},
		"an invalid env file":    {map[string]string{"a.container": "[Container]\nEnvironmentFile=a.env\n", "a.env": "A=1\n=hunter2\n"}, []string{"error a.env:2:1"}, 1},
		"an absent env file":     {map[string]string{"a.container": "[Container]\nEnvironmentFile=hunter2.env -hunter3.env\n"}, []string{"notice a.container:2:17"}, 1},
		"Perl's documentation":   {map[string]string{"a.container": "[Container]\n", "b.pod": "=head1 hunter2\n"}, nil, 1},
		"a container of another": {map[string]string{"a.container": "[Container]\n", "b.container": "hunter2: [\n"}, nil, 1},
		"a drop-in that is none": {map[string]string{"a.container": "[Container]\n", "container.d": "", "a.container.d/x.conf": "-> /etc/hunter2"}, []string{"error a.container.d/x.conf", "error container.d"}, 1},
		"too much": {map[string]string{
			"a.container": "[Container]\n", "b.container": "[Container]\n", "c.container": "[Container]\n",
			"container.d/a.conf": "[Container]\n" + strings.Repeat("Environment=A=1\n", 30_000),
		}, []string{"error container.d/a.conf"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			containers, problems := load(t, test.files)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s %s", p.Severity, p.Position))
				if strings.Contains(p.Error(), "hunter") {
					t.Error("a problem shows a value")
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if len(containers) != test.containers {
				t.Errorf("%d containers, want %d", len(containers), test.containers)
			}
		})
	}
}
