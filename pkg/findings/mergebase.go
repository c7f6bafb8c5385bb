package findings

import (
	"container/heap"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/derekg1729/dsnlint/pkg/internal/gitrepo"
)

// mergeBase finds the newest commit that both a and b come from; nil where there
// is none. Cut tells that a part of the history is not there, as in a shallow
// clone, which go-git's own search cannot bear.
//
// From both sides it paints the commits with a colour of the side, the newest
// first, until one has both.
func mergeBase(r *gitrepo.Repository, a, b *object.Commit) (base *object.Commit, cut bool) {
	colours := map[plumbing.Hash]colour{}
	var left queue
	paint := func(c *object.Commit, add colour) {
		if old := colours[c.Hash]; old|add != old {
			colours[c.Hash] = old | add
			heap.Push(&left, c)
		}
	}
	paint(a, fromA)
	paint(b, fromB)
	for len(left) > 0 {
		commit, _ := heap.Pop(&left).(*object.Commit)
		if colours[commit.Hash] == fromA|fromB {
			return commit, cut
		}
		for _, hash := range commit.ParentHashes {
			parent, err := r.CommitObject(hash)
			if err != nil {
				cut = true
				continue
			}
			paint(parent, colours[commit.Hash])
		}
	}
	return nil, cut
}

// colour tells from where a commit has been reached.
type colour uint8

const (
	fromA colour = 1 << iota
	fromB
)

// queue is a heap of commits, the newest first.
type queue []*object.Commit

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].Committer.When.After(q[j].Committer.When) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*object.Commit)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
