package helm

import "context"

// The limits of a run, in units of work.
const (
	// maxRunWork is what all charts of a run may cost beyond what is free.
	maxRunWork = 6_000_000
	// freeWork is what a chart may cost for nothing, with byteWork for each byte of
	// its files, up to maxFreeWork: an ordinary chart costs less, so that any
	// number of them is rendered.
	freeWork    = 10_000
	byteWork    = 50
	maxFreeWork = 2_000_000
	// endedWork is what a chart costs that the runner had to end.
	endedWork = maxRunWork / 2
	// unpackedPerWork is how many bytes that are unpacked cost one.
	unpackedPerWork = 64
	// nodeWork is what a node of the rendered YAML costs: most of it when the
	// containers are judged.
	nodeWork = 30
)

// Run is what the charts of a run share: what all of them may cost. The charts
// take turns in their order, and one is admitted by what those up to the second
// before it have cost, so that two may be rendered at a time, and which ones are
// depends on nothing but the charts.
type Run struct {
	limit  int
	charts map[string]*turn
}

// turn is one chart of a run.
type turn struct {
	index    int
	previous *turn
	// before is what the charts up to the second before this one have cost; it is
	// set when decided is closed. cost is set when finished is closed.
	before, cost      int
	decided, finished chan struct{}
}

// NewRun returns the run of the charts of these directories, which have to be
// loaded in this order: each is started before those after it.
func NewRun(dirs []string) *Run { return newRun(dirs, maxRunWork) }

func newRun(dirs []string, limit int) *Run {
	r := &Run{limit: limit, charts: map[string]*turn{}}
	var last *turn
	for i, dir := range dirs {
		t := &turn{index: i, previous: last, decided: make(chan struct{}), finished: make(chan struct{})}
		r.charts[dir] = t
		last = t
	}
	return r
}

// admit waits for the turn of a chart, and reports whether it may be rendered.
// The error is that of ctx.
func (r *Run) admit(ctx context.Context, t *turn) (bool, error) {
	if t.previous != nil && t.previous.previous != nil {
		second := t.previous.previous
		for _, c := range []chan struct{}{t.previous.decided, second.finished} {
			select {
			case <-c:
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
		t.before = t.previous.before + second.cost
	}
	close(t.decided)
	return t.before < r.limit, nil
}

// first reports whether a chart that is not admitted is the first one.
func (r *Run) first(t *turn) bool { return t.previous.before < r.limit }

// left counts a chart and those after it.
func (r *Run) left(t *turn) int { return len(r.charts) - t.index }

// finish takes what a chart has cost.
func (t *turn) finish(cost int) {
	t.cost = max(0, cost)
	close(t.finished)
}
