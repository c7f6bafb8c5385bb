package findings_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/derekg1729/dsnlint/pkg/findings"
	"github.com/derekg1729/dsnlint/pkg/manifest"
	"github.com/derekg1729/dsnlint/pkg/rules"
)

// repo is a repository in a directory of its own.
type repo struct {
	*testing.T
	dir string
	git *git.Repository
	now time.Time
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	dir := t.TempDir()
	r, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return &repo{T: t, dir: dir, git: r, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (r *repo) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *repo) write(name, text string) {
	r.Helper()
	file := filepath.Join(r.dir, name)
	r.check(os.MkdirAll(filepath.Dir(file), 0o755))
	r.check(os.WriteFile(file, []byte(text), 0o600))
}

// commit commits all that is in the working tree.
func (r *repo) commit() plumbing.Hash {
	r.Helper()
	tree, err := r.git.Worktree()
	r.check(err)
	r.check(tree.AddWithOptions(&git.AddOptions{All: true}))
	r.now = r.now.Add(time.Minute)
	who := &object.Signature{Name: "n", Email: "e", When: r.now}
	hash, err := tree.Commit("c", &git.CommitOptions{Author: who, Committer: who, AllowEmptyCommits: true})
	r.check(err)
	return hash
}

func (r *repo) reference(name string, hash plumbing.Hash) {
	r.Helper()
	r.check(r.git.Storer.SetReference(plumbing.NewHashReference(plumbing.ReferenceName(name), hash)))
}

func (r *repo) checkout(branch string, hash plumbing.Hash) {
	r.Helper()
	tree, err := r.git.Worktree()
	r.check(err)
	r.check(tree.Checkout(&git.CheckoutOptions{Branch: plumbing.NewBranchReferenceName(branch), Hash: hash, Create: true}))
}

// forget takes an object out of the repository.
func (r *repo) forget(hash plumbing.Hash) {
	r.Helper()
	name := hash.String()
	r.check(os.Remove(filepath.Join(r.dir, ".git", "objects", name[:2], name[2:])))
}

func since(t *testing.T, root, ref string) *findings.Changes {
	t.Helper()
	s, err := findings.ChangesSince(root, ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// finding is one in a line of compose.yaml.
func findingAt(line int) *rules.Finding {
	at := manifest.Position{File: "compose.yaml", Line: line, Column: 7}
	return &rules.Finding{
		Container:  &manifest.Container{Position: manifest.Position{File: "compose.yaml", Line: 2, Column: 3}},
		Variable:   "V",
		Position:   at,
		Provenance: [][]manifest.Step{{{Position: at}, {Position: manifest.Position{File: ".env", Line: 2}}, {}}},
	}
}

// touched returns the lines of compose.yaml, as runes, whose findings are touched.
func touched(s *findings.Changes, height int) string {
	var lines strings.Builder
	for line := range height {
		if s.Touches(findingAt(line + 1)) {
			lines.WriteByte("123456789"[line])
		}
	}
	return lines.String()
}

const before = `services:
  app:
    environment:
      A: 1
      B: 2
      C: 3
`

func TestTouches(t *testing.T) {
	tests := map[string]struct {
		now  map[string]string
		want string
	}{
		"nothing": {nil, ""},
		"a line changed": {
			map[string]string{"compose.yaml": strings.Replace(before, "B: 2", "B: x", 1)}, "5"},
		"a line is new": {
			map[string]string{"compose.yaml": strings.Replace(before, "      B: 2\n", "      NEW: 1\n      B: 2\n", 1)}, "5"},
		"a line is gone": {
			map[string]string{"compose.yaml": strings.Replace(before, "      B: 2\n", "", 1)}, "45"},
		"the last line is gone": {
			map[string]string{"compose.yaml": strings.Replace(before, "      C: 3\n", "", 1)}, "5"},
		"line ends changed": {
			map[string]string{"compose.yaml": strings.ReplaceAll(before, "\n", "\r\n")}, ""},
		"the container's key changed": {
			map[string]string{"compose.yaml": strings.Replace(before, "app:", "app: # here", 1)}, "123456"},
		"a step's line changed":         {map[string]string{".env": "X=1\nY=3\n"}, "123456"},
		"another line of a step's file": {map[string]string{".env": "X=2\nY=2\n"}, ""},
		"a file without findings":       {map[string]string{"other.yaml": "a: b\n"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t)
			r.write("compose.yaml", before)
			r.write(".env", "X=1\nY=2\n")
			r.commit()
			for file, text := range test.now {
				r.write(file, text)
			}
			if got := touched(since(t, r.dir, "HEAD"), 6); got != test.want {
				t.Errorf("touched are lines %q, want %q", got, test.want)
			}
		})
	}
}

// TestTouchesContainer has findings on a container as a whole, such as that it
// lacks something.
func TestTouchesContainer(t *testing.T) {
	const text = `services:
  app:
    environment:
      - A

  # of the next
  other:
    image: x
kind: Pod
spec:
  containers:
  - name: one
    env:
    - name: A
  - name: two
    env: []
`
	tests := map[string]struct {
		replace, by string
		want        string
	}{
		"in the service":         {"      - A\n", "      - B\n", "app"},
		"gone from the service":  {"      - A\n", "", "app"},
		"in the next service":    {"image: x", "image: y", "other"},
		"in the first container": {"- name: A", "- name: B", "one"},
		"in the last container":  {"env: []", "env: [] # none", "two"},
	}
	containers := map[string]manifest.Position{
		"app":   {File: "compose.yaml", Line: 2, Column: 3},
		"other": {File: "compose.yaml", Line: 7, Column: 3},
		"one":   {File: "compose.yaml", Line: 12, Column: 5},
		"two":   {File: "compose.yaml", Line: 15, Column: 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t)
			r.write("compose.yaml", text)
			r.commit()
			r.write("compose.yaml", strings.Replace(text, test.replace, test.by, 1))
			s := since(t, r.dir, "HEAD")
			for name, at := range containers {
				if at.Line > 4 {
					at.Line -= strings.Count(test.replace, "\n") - strings.Count(test.by, "\n")
				}
				got := s.Touches(&rules.Finding{Container: &manifest.Container{Position: at}, Position: at})
				if got != (name == test.want) {
					t.Errorf("touches %s: %v", name, got)
				}
			}
		})
	}
}

func TestTouchesRoleLabel(t *testing.T) {
	r := newRepo(t)
	r.write("compose.yaml", before)
	r.commit()
	r.write("compose.yaml", before+"    labels:\n      dsnlint.dev/role: runtime\n")
	f := findingAt(4)
	f.Container.RoleLabelPosition = manifest.Position{File: "compose.yaml", Line: 8, Column: 7}
	if s := since(t, r.dir, "HEAD"); !s.Touches(f) {
		t.Error("a new role does not touch the finding")
	}
}

func TestChanged(t *testing.T) {
	r := newRepo(t)
	for _, name := range []string{"same", "changed", "gone", "link/to"} {
		r.write(name, "text\n")
	}
	r.write(".gitignore", "*.env\n!kept.env\n/out/\n")
	r.write("sub/.gitignore", "# no pattern\nlocal\n")
	r.commit()
	r.write("changed", "other\n")
	r.check(os.Remove(filepath.Join(r.dir, "gone")))
	for _, name := range []string{"new", "a.env", "kept.env", "out/kept.env", "sub/local", "sub/b.env", "local", "staged.env"} {
		r.write(name, "text\n")
	}
	r.check(os.Symlink("changed", filepath.Join(r.dir, "alias")))
	r.check(os.Symlink("link", filepath.Join(r.dir, "directory")))
	index, err := r.git.Storer.Index()
	r.check(err)
	index.Add("staged.env")
	r.check(r.git.Storer.SetIndex(index))

	s := since(t, r.dir, "HEAD")
	for name, want := range map[string]bool{
		"same": false, "changed": true, "gone": true, "new": true, "never": false,
		"a.env": false, "kept.env": true, "out/kept.env": false, "sub/local": false, "sub/b.env": false, "local": true,
		"staged.env": true, "alias": true, "directory/to": false, "../outside": false, "/etc/passwd": false,
	} {
		if got := s.Changed(name); got != want {
			t.Errorf("%s changed: %v", name, got)
		}
	}
	if problems := s.Problems(); len(problems) > 0 {
		t.Errorf("there are problems: %v", problems)
	}
}

// TestBranch checks that what came to the other branch since does not count.
func TestBranch(t *testing.T) {
	r := newRepo(t)
	r.write("compose.yaml", before)
	start := r.commit()
	r.write("compose.yaml", strings.Replace(before, "A: 1", "A: main", 1))
	upstream := r.commit()
	r.reference("refs/remotes/origin/main", upstream)
	r.reference("refs/tags/v1", upstream)
	_, err := r.git.CreateTag("v2", upstream, &git.CreateTagOptions{Message: "m", Tagger: &object.Signature{When: r.now}})
	r.check(err)
	r.checkout("topic", start)
	r.write("compose.yaml", strings.Replace(before, "B: 2", "B: topic", 1))
	r.commit()
	r.write("compose.yaml", strings.Replace(before, "B: 2", "B: topic\n      NEW: here", 1))

	for ref, want := range map[string]string{
		"master": "56", "refs/heads/master": "56", "origin/main": "56", "v1": "56", "v2": "56",
		upstream.String(): "56", upstream.String()[:9]: "56", "HEAD~1": "56", "HEAD^": "56", "HEAD": "6", "topic": "6",
	} {
		if got := touched(since(t, r.dir, ref), 7); got != want {
			t.Errorf("since %s lines %q are touched, want %q", ref, got, want)
		}
	}
}

// TestMerge is a pull request as actions/checkout has it: HEAD is a merge of both
// branches.
func TestMerge(t *testing.T) {
	r := newRepo(t)
	r.write("compose.yaml", before)
	start := r.commit()
	mainText := strings.Replace(before, "A: 1", "A: main", 1)
	r.write("compose.yaml", mainText)
	upstream := r.commit()
	r.checkout("topic", start)
	r.write("compose.yaml", strings.Replace(before, "C: 3", "C: topic", 1))
	topic := r.commit()
	r.write("compose.yaml", strings.Replace(mainText, "C: 3", "C: topic", 1))
	tree, err := r.git.Worktree()
	r.check(err)
	r.check(tree.AddWithOptions(&git.AddOptions{All: true}))
	_, err = tree.Commit("merge", &git.CommitOptions{
		Author: &object.Signature{When: r.now.Add(time.Hour)}, Parents: []plumbing.Hash{upstream, topic},
	})
	r.check(err)
	if got := touched(since(t, r.dir, "master"), 6); got != "6" {
		t.Errorf("lines %q are touched, want the sixth", got)
	}
}

func TestShallow(t *testing.T) {
	r := newRepo(t)
	r.write("compose.yaml", before)
	start := r.commit()
	r.write("compose.yaml", strings.Replace(before, "A: 1", "A: main", 1))
	upstream := r.commit()
	r.checkout("topic", start)
	r.write("compose.yaml", strings.Replace(before, "B: 2", "B: topic", 1))
	r.commit()
	r.write("other", "")
	r.commit()
	r.forget(start)

	// The base is in the part that is there.
	s := since(t, r.dir, "HEAD~1")
	if got := touched(s, 6); got != "" || len(s.Problems()) > 0 {
		t.Errorf("lines %q are touched and there are problems %v, want neither", got, s.Problems())
	}
	// It is not, so that both sides of the fork count.
	s = since(t, r.dir, upstream.String())
	if got := touched(s, 6); got != "45" {
		t.Errorf("lines %q are touched, want the fourth and fifth", got)
	}
	if p := s.Problems(); len(p) != 1 || p[0].Severity != manifest.Notice || !strings.Contains(p[0].Hint.String(), "fetch-depth: 0") {
		t.Errorf("the problems are %v, want one notice", p)
	}
}

// TestPartial is a clone without the content of old files.
func TestPartial(t *testing.T) {
	r := newRepo(t)
	r.write("compose.yaml", before)
	commit, err := r.git.CommitObject(r.commit())
	r.check(err)
	f, err := commit.File("compose.yaml")
	r.check(err)
	r.forget(f.Hash)
	config := filepath.Join(r.dir, ".git", "config")
	data, err := os.ReadFile(config)
	r.check(err)
	r.check(os.WriteFile(config, append(data, "[extensions]\n\tworktreeConfig = true\n\tpartialClone = origin\n"...), 0o600))

	s := since(t, r.dir, "HEAD")
	if got := touched(s, 6); got != "123456" {
		t.Errorf("lines %q are touched, want all", got)
	}
	if p := s.Problems(); len(p) != 1 || p[0].Position.File != "compose.yaml" || p[0].Severity != manifest.Notice {
		t.Errorf("the problems are %v, want one notice", p)
	}
}

// TestShared is a clone that borrows the objects of another.
func TestShared(t *testing.T) {
	lender, r := newRepo(t), newRepo(t)
	lender.write("compose.yaml", before)
	r.reference("refs/heads/master", lender.commit())
	objects := filepath.Join(lender.dir, ".git", "objects")
	r.write(".git/objects/info/alternates", objects+"\n")
	r.write("compose.yaml", strings.Replace(before, "B: 2", "B: x", 1))
	if got := touched(since(t, r.dir, "HEAD"), 6); got != "5" {
		t.Errorf("lines %q are touched, want the fifth", got)
	}
}

func TestFolders(t *testing.T) {
	r := newRepo(t)
	r.write("deploy/app/compose.yaml", before)
	hash := r.commit()
	changed := strings.Replace(before, "B: 2", "B: x", 1)

	t.Run("the root is above", func(t *testing.T) {
		r.write("deploy/app/compose.yaml", changed)
		if got := touched(since(t, filepath.Join(r.dir, "deploy", "app"), "HEAD"), 6); got != "5" {
			t.Errorf("lines %q are touched, want the fifth", got)
		}
	})
	t.Run("a linked working tree", func(t *testing.T) {
		linked, own := t.TempDir(), filepath.Join(r.dir, ".git", "worktrees", "linked")
		r.check(os.MkdirAll(own, 0o755))
		for name, text := range map[string]string{
			filepath.Join(own, "HEAD"):      hash.String() + "\n",
			filepath.Join(own, "commondir"): "../..\n",
			filepath.Join(own, "gitdir"):    filepath.Join(linked, ".git") + "\n",
			filepath.Join(linked, ".git"):   "gitdir: " + own + "\n",
		} {
			r.check(os.WriteFile(name, []byte(text), 0o600))
		}
		r.check(os.MkdirAll(filepath.Join(linked, "deploy"), 0o755))
		r.check(os.WriteFile(filepath.Join(linked, "deploy", "compose.yaml"), []byte(before), 0o600))
		r.check(os.MkdirAll(filepath.Join(linked, "deploy", "app"), 0o755))
		r.check(os.WriteFile(filepath.Join(linked, "deploy", "app", "compose.yaml"), []byte(changed), 0o600))
		for _, ref := range []string{"HEAD", "master"} {
			if got := touched(since(t, filepath.Join(linked, "deploy", "app"), ref), 6); got != "5" {
				t.Errorf("since %s lines %q are touched, want the fifth", ref, got)
			}
		}
	})
}

func TestSinceRefuses(t *testing.T) {
	r := newRepo(t)
	empty := newRepo(t)
	r.write("compose.yaml", before)
	r.commit()
	r.reference("refs/remotes/origin/trunk", r.commit())
	orphan := &object.Commit{TreeHash: plumbing.ZeroHash, Author: object.Signature{When: r.now}, Committer: object.Signature{When: r.now}}
	encoded := r.git.Storer.NewEncodedObject()
	r.check(orphan.Encode(encoded))
	stranger, err := r.git.Storer.SetEncodedObject(encoded)
	r.check(err)

	tests := []struct{ dir, ref, want string }{
		{r.dir, "nowhere", `no commit nowhere in this clone`},
		{r.dir, "trunk", "no commit"},
		{r.dir, "", "no commit"},
		{r.dir, "~1", "no commit"},
		{r.dir, "^", "no commit"},
		{r.dir, "HEAD~9", "no commit"},
		{r.dir, "--all", "no commit"},
		{r.dir, "@{upstream}", "no commit"},
		{r.dir, strings.Repeat("0", 40), "no commit"},
		{r.dir, stranger.String(), "no commit in common"},
		{empty.dir, "HEAD", "no commit"},
		{t.TempDir(), "HEAD", "not in a git repository"},
		{filepath.Join(r.dir, "none"), "HEAD", "cannot find the root directory"},
	}
	for _, test := range tests {
		s, err := findings.ChangesSince(test.dir, test.ref)
		if p := (*manifest.Problem)(nil); !errors.As(err, &p) || p.Severity != manifest.Error || !strings.Contains(p.Message.String(), test.want) {
			t.Errorf("since %q: %v and the error %v, want %q", test.ref, s, err, test.want)
		}
		hint := map[string]string{"nowhere": "fetch-depth: 0", "trunk": "there is origin/trunk"}[test.ref]
		if err != nil && !strings.Contains(err.Error(), hint) {
			t.Errorf("the error %q does not say %q", err, hint)
		}
	}
}
