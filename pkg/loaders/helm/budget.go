package helm

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"

	"github.com/derekg1729/dsnlint/pkg/internal/source"
)

// The limits of a rendering. Work is counted in units of about a function call,
// so that the verdict is the same on every machine.
const (
	// maxWork is the work of one template, and maxChartWork that of all
	// renderings of a chart with one set of values.
	maxWork      = 500_000
	maxChartWork = 5_000_000
	// maxText is the longest text that a function returns or a template renders,
	// in bytes, and maxTexts what all templates of a rendering may print.
	maxText  = 4 << 20
	maxTexts = 8 << 20
	// maxTransient is the longest text that a function may make on its way.
	maxTransient = 64 << 20
	// maxNodes is the most that a value may hold, everything counted as often as
	// it appears, and maxList how many numbers until and the like return.
	maxNodes = 1_000_000
	maxList  = 100_000
	// maxLevels bounds how deep a value is nested, and maxDepth the blocks and
	// templates that are open at a time.
	maxLevels = 500
	maxDepth  = 5_000
	// templateDepth is what an open template counts for, and tplDepth one of tpl,
	// for which the engine copies all templates. An error is written again on each
	// of these levels, with the text of the tpl.
	templateDepth = 20
	tplDepth      = 100
	tplWork       = 200
)

// cause is why a rendering ended.
type cause int

const (
	unknownCause cause = iota
	// overWork to tooDeep are limits; the rest are errors of the chart.
	overWork
	overText
	overNodes
	cyclic
	tooDeep
	reserved
	canceled
	// brokenYAML is a file that source.ParseYAML refuses.
	brokenYAML
	notMetadata
	notChart
	notValues
	manyCharts
	unsetValue
	requiredValue
	undefinedTemplate
	invalidTemplate
	manyFailures
)

// overBudget reports whether what failed takes more than it may, so that the same
// with other values is not tried.
func (f failure) overBudget() bool {
	switch f.Cause {
	case overWork, overText, overNodes, tooDeep, manyCharts, manyFailures:
		return true
	default:
		return false
	}
}

// stop is the error of a rendering that is over a limit.
type stop struct{ cause cause }

func (s stop) Error() string { return "the rendering is over a limit" }

// meter counts the work of a rendering.
type meter struct {
	ctx context.Context
	// work is what is left to the template, and all to the chart; texts are the
	// bytes that may still be printed.
	work, all, texts int
	// open are the nestings of the templates that are executed, depth their sum,
	// and file the number of the outermost one's file, -1 before any.
	open  []int
	depth int
	file  int
	// cause is why the rendering was stopped.
	cause cause
	// sizes are those of values that were measured since the last change to a
	// value.
	sizes map[identity]measured
	ticks int
}

// start makes the meter ready for a rendering.
func (m *meter) start() {
	m.open, m.depth, m.file = nil, 0, -1
	m.texts, m.work, m.cause = maxTexts, maxWork, unknownCause
	m.sizes = map[identity]measured{}
}

// halt ends the rendering. The engine makes an error of what a function panics
// with.
func (m *meter) halt(c cause) {
	m.cause = c
	panic(stop{c})
}

func (m *meter) spend(work int) {
	// What is too much is not done, so that it costs the chart no more than the
	// template had left.
	done := min(work, m.work)
	m.work -= done
	m.all -= done
	if done < work || m.all < 0 || work < 0 {
		m.halt(overWork)
	}
	if m.ticks++; m.ticks%256 == 0 && m.ctx.Err() != nil {
		m.halt(canceled)
	}
}

func (m *meter) enter(work, nesting, file int) string {
	if len(m.open) == 0 {
		m.file, m.work = file, maxWork
		// The engine changes values between templates.
		clear(m.sizes)
	}
	m.open = append(m.open, nesting)
	if m.depth += nesting; m.depth > maxDepth {
		m.halt(tooDeep)
	}
	m.spend(work)
	return ""
}

func (m *meter) leave() string {
	last := len(m.open) - 1
	m.depth -= m.open[last]
	m.open = m.open[:last]
	return ""
}

func (m *meter) count(work int) string {
	m.spend(work)
	return ""
}

// out takes what an action prints.
func (m *meter) out(v any) any {
	s := m.print(v)
	if m.texts -= s.text; m.texts < 0 {
		m.halt(overText)
	}
	return v
}

// arg takes what is marshalled.
func (m *meter) arg(v any) any {
	m.spend(m.print(v).text / 2)
	return v
}

// parse takes what is unmarshalled. Aliases make a text as large as the parser
// lets them.
func (m *meter) parse(v any) any {
	m.spend(m.print(v).text / 2)
	if s, ok := v.(string); ok && strings.Contains(s, "*") && strings.Contains(s, "&") {
		if _, err := source.ParseYAML("", []byte(s)); err != nil {
			m.halt(overNodes)
		}
	}
	return v
}

// compare takes an argument of a function of text/template that compares it.
func (m *meter) compare(v any) any {
	if s, ok := v.(string); ok {
		m.spend(1 + len(s)/128)
	}
	return v
}

// result takes what was unmarshalled.
func (m *meter) result(v any) any {
	m.spend(m.bounded(v).nodes * 4)
	return v
}

// tpl takes the text of a template that is a value.
func (m *meter) tpl(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	m.spend(tplWork + len(s)/2)
	in, err := instrument(s, -1, 0, tplDepth+len(s)/512, false)
	switch {
	case errors.Is(err, errOwnName):
		m.halt(reserved)
	case err != nil:
		m.halt(tooDeep)
	}
	return in.text
}

// print measures a value that is made a text of.
func (m *meter) print(v any) size {
	s := m.bounded(v)
	if s.text > maxText {
		m.halt(overText)
	}
	m.spend(1 + s.text/64)
	return s
}

// bounded measures a value and holds it against the limits of values.
func (m *meter) bounded(v any) size {
	s := m.measure(v)
	if s.nodes > maxNodes {
		m.halt(overNodes)
	}
	return s
}

// size is how large a value is with everything counted as often as it appears.
type size struct {
	nodes int
	// text is about what it takes to write the value, indented.
	text   int
	levels int
}

// identity is that of a value that can be shared.
type identity struct {
	at  uintptr
	len int
}

// measured is a size with the value it is of, which keeps the identity from being
// given to another.
type measured struct {
	size
	busy  bool
	value any
}

func leaf(text int) size { return size{1, text, 1} }

// holds adds a size to that of the value that holds it.
func (s *size) holds(inner size) {
	const most = 1 << 40
	s.nodes = min(most, s.nodes+inner.nodes)
	s.text = min(most, s.text+inner.text+4*inner.nodes)
	s.levels = max(s.levels, inner.levels+1)
}

// measure returns the size of a value. One that holds itself ends the rendering.
func (m *meter) measure(v any) size {
	switch v := v.(type) {
	case nil, bool, int, int64, int32, float64, float32, uint64, time.Time, time.Duration:
		return leaf(24)
	case string:
		return leaf(len(v) + 2)
	case []byte:
		return leaf(4 * len(v))
	case map[string]any:
		return m.table(v)
	case common.Values:
		return m.table(v)
	case []any:
		id := identity{reflect.ValueOf(v).Pointer(), len(v)}
		return m.shared(id, v, func(s *size) {
			for _, item := range v {
				s.holds(m.measure(item))
			}
		})
	}
	return m.reflected(reflect.ValueOf(v))
}

func (m *meter) table(v map[string]any) size {
	id := identity{reflect.ValueOf(v).Pointer(), -1}
	return m.shared(id, v, func(s *size) {
		for key, value := range v {
			s.text += len(key) + 4
			s.holds(m.measure(value))
		}
	})
}

// shared measures a value once for all its appearances.
func (m *meter) shared(id identity, v any, fill func(s *size)) size {
	if id.at == 0 {
		return leaf(4)
	}
	if known, ok := m.sizes[id]; ok {
		if known.busy {
			m.halt(cyclic)
		}
		return known.size
	}
	m.sizes[id] = measured{busy: true, value: v}
	s := leaf(4)
	fill(&s)
	if s.levels > maxLevels {
		m.halt(tooDeep)
	}
	m.sizes[id] = measured{size: s, value: v}
	m.spend(1 + reflect.ValueOf(v).Len()/4)
	return s
}

// reflected measures a value of any other type.
func (m *meter) reflected(v reflect.Value) size {
	switch v.Kind() { //nolint:exhaustive // every other kind is a number or the like, measured below
	case reflect.String:
		return leaf(v.Len() + 2)
	case reflect.Interface:
		if v.IsNil() {
			return leaf(4)
		}
		if v.CanInterface() {
			return m.measure(v.Interface())
		}
		return m.reflected(v.Elem())
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return leaf(24)
		}
		return m.reflected(v.Elem())
	case reflect.Struct:
		s := leaf(4)
		for i := range v.NumField() {
			// What is not exported belongs to a library: it is small, and holds
			// nothing of a template's.
			if v.Type().Field(i).IsExported() {
				s.holds(m.reflected(v.Field(i)))
			}
		}
		return s
	case reflect.Slice, reflect.Array:
		s := leaf(4)
		switch v.Type().Elem().Kind() {
		case reflect.Interface, reflect.Map, reflect.Slice, reflect.Pointer, reflect.Struct, reflect.String:
			for i := range v.Len() {
				s.holds(m.reflected(v.Index(i)))
			}
		default:
			s.nodes += v.Len()
			s.text += 24 * v.Len()
		}
		m.spend(1 + v.Len()/2)
		return s
	case reflect.Map:
		s := leaf(4)
		for iter := v.MapRange(); iter.Next(); {
			s.holds(m.reflected(iter.Key()))
			s.holds(m.reflected(iter.Value()))
		}
		m.spend(1 + v.Len()/2)
		return s
	}
	return leaf(24)
}

// forget keeps the table of sizes, and the values that it holds, small.
func (m *meter) forget() {
	if len(m.sizes) > 50_000 {
		clear(m.sizes)
	}
}

// changed forgets the sizes: a function changed a value.
func (m *meter) changed() { clear(m.sizes) }
