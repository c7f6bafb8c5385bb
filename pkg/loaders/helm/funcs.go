package helm

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	text "text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// functions are what the templates call in place of the functions of the engine:
// those of sprig and of text/template, each counted and bounded, with stand-ins
// for all that is random, slow, of the clock or of the machine.
func (m *meter) functions() text.FuncMap {
	own := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "fail"} {
		delete(own, name) // the engine has none, or its own
	}
	for name := range guards {
		delete(own, name) // the engine's differ
	}
	maps.Copy(own, text.FuncMap{
		"html": text.HTMLEscaper, "js": text.JSEscaper, "urlquery": text.URLQueryEscaper,
		"print": fmt.Sprint, "printf": fmt.Sprintf, "println": fmt.Sprintln,
	})
	maps.Copy(own, standIns())
	for name, f := range own {
		own[name] = m.wrap(name, f)
	}
	own[enterName], own[leaveName], own[countName] = m.enter, m.leave, m.count
	own[outName], own[markName], own[tplName], own[argName] = m.out, m.mark, m.tpl, m.arg
	own[parseName], own[resultName], own[compareName] = m.parse, m.result, m.compare
	return own
}

// shallow are the functions that look at no more than the first level of their
// arguments.
var shallow = names(`all any append coalesce compact default dict dig empty first get has hasKey index initial
	keys kindIs kindOf last list mustAppend mustCompact mustFirst mustInitial mustLast mustPrepend mustPush
	mustRest mustReverse mustSlice omit pick pluck prepend push rest reverse set slice ternary tuple typeIs
	typeIsLike typeOf unset values`)

// changing are the functions that change an argument.
var changing = names("set unset merge mustMerge mergeOverwrite mustMergeOverwrite")

// quadratic are the functions that compare or multiply everything with
// everything.
var quadratic = names("uniq mustUniq without mustWithout has mustHas addf subf mulf divf add1f")

// expressions are the functions whose first argument is a regular expression.
var expressions = names(`regexMatch mustRegexMatch regexFindAll mustRegexFindAll regexFind mustRegexFind
	regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral mustRegexReplaceAllLiteral regexSplit mustRegexSplit
	semver semverCompare`)

func names(list string) map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		all[name] = true
	}
	return all
}

// wrap returns a function that counts the work of f before it is done, and holds
// what it returns against the limits.
func (m *meter) wrap(name string, f any) any {
	inner := reflect.ValueOf(f)
	t := inner.Type()
	return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		m.before(name, args, t.IsVariadic())
		var results []reflect.Value
		if t.IsVariadic() {
			results = inner.CallSlice(args)
		} else {
			results = inner.Call(args)
		}
		if changing[name] {
			m.changed()
		}
		if s := m.bounded(results[0].Interface()); results[0].Kind() == reflect.String {
			if s.text > maxText {
				m.halt(overText)
			}
			m.spend(s.text / 64)
		}
		return results
	}).Interface()
}

// before counts what a call costs, and ends the rendering where it would make
// more than may be.
func (m *meter) before(name string, args []reflect.Value, variadic bool) {
	m.forget()
	all := size{}
	work := 1
	for i, arg := range args {
		if !variadic || i < len(args)-1 {
			all.holds(m.measure(arg.Interface()))
			if arg.Kind() == reflect.String {
				work += arg.Len() / 128
			}
			continue
		}
		for j := range arg.Len() {
			all.holds(m.measure(arg.Index(j).Interface()))
		}
		work += arg.Len() / 8
	}
	if !shallow[name] {
		if all.text > maxTransient || all.nodes > 2*maxNodes {
			m.halt(overText)
		}
		work += all.text/8 + all.nodes/8
	}
	if quadratic[name] {
		work += all.nodes * all.nodes / 16
	}
	if expressions[name] {
		cost := args[0].Len()
		if strings.Contains(args[0].String(), "{") {
			cost *= 100 // a repetition makes an expression as long as it says
		}
		work += cost * (all.text/64 + 1)
	}
	if grow, ok := growth[name]; ok && grow(args) > maxTransient {
		m.halt(overText)
	}
	if length, ok := lengths[name]; ok && length(args) > maxList {
		m.halt(overNodes)
	}
	m.spend(work)
}

// growth is the most that a function makes of its arguments, in bytes, where that
// is more than a few times what it is given.
var growth = map[string]func(args []reflect.Value) int{
	"repeat":       func(a []reflect.Value) int { return times(number(a[0]), a[1].Len()) },
	"randAlphaNum": leading, "randAlpha": leading, "randAscii": leading, "randNumeric": leading, "randBytes": leading,
	"indent":  indented,
	"nindent": indented,
	"replace": func(a []reflect.Value) int {
		return times(strings.Count(a[2].String(), a[0].String()), a[1].Len())
	},
	"join": func(a []reflect.Value) int {
		list := a[1]
		if list.Kind() == reflect.Interface {
			list = list.Elem()
		}
		if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
			return 0
		}
		return times(list.Len(), a[0].Len())
	},
	"wrapWith": func(a []reflect.Value) int {
		return times(a[2].Len()/max(1, number(a[0]))+1, a[1].Len())
	},
	"regexReplaceAll": replaced, "mustRegexReplaceAll": replaced,
	"regexReplaceAllLiteral": replaced, "mustRegexReplaceAllLiteral": replaced,
	"printf": func(a []reflect.Value) int { return printed(a[0].String(), a[1]) },
}

// lengths is how long a list a function returns.
var lengths = map[string]func(args []reflect.Value) int{
	"until":     func(a []reflect.Value) int { return steps(0, number(a[0]), 1) },
	"untilStep": func(a []reflect.Value) int { return steps(number(a[0]), number(a[1]), number(a[2])) },
	"seq":       sequence,
	"split":     pieces, "splitList": pieces, "splitn": pieces,
	"regexSplit": characters, "mustRegexSplit": characters,
	"regexFindAll": characters, "mustRegexFindAll": characters,
}

func leading(a []reflect.Value) int { return number(a[0]) }

func number(v reflect.Value) int { return int(v.Int()) }

// times multiplies without overflow.
func times(a, b int) int {
	if a > 0 && b > 0 && a > maxTransient*2/b {
		return maxTransient * 2
	}
	return a * b
}

func indented(a []reflect.Value) int {
	return times(strings.Count(a[1].String(), "\n")+1, number(a[0]))
}

// replaced bounds what is made of a text by a regular expression: each place
// between two characters may be replaced, and each reference in the replacement
// stands for a part of the text.
func replaced(a []reflect.Value) int {
	source, replacement := a[1].Len(), a[2].String()
	n := times(source+1, len(replacement))
	if strings.Contains(replacement, "$") {
		n += times(source, strings.Count(replacement, "$"))
	}
	return n
}

// printed bounds what printf makes: each verb may be as wide as a number in the
// format or an argument says, and print any argument.
func printed(format string, args reflect.Value) int {
	verbs := strings.Count(format, "%")
	longest, widest := 0, 0
	for i := range args.Len() {
		switch v := args.Index(i).Interface().(type) {
		case string:
			longest = max(longest, len(v))
		case int:
			widest = max(widest, v, -v)
		}
	}
	total := times(verbs, 4*longest)
	for _, digits := range regexp.MustCompile(`[0-9]+|\*`).FindAllString(format, -1) {
		width, err := strconv.Atoi(digits)
		if err != nil {
			width = widest
		}
		total += min(width, 1_000_000) // the most that fmt takes
	}
	return total
}

func steps(start, stop, step int) int {
	if step == 0 {
		return 0
	}
	// As floats, these do not overflow; that they are not exact does not matter.
	n := (float64(stop) - float64(start)) / float64(step)
	return int(min(max(n, -n), 1<<40))
}

func sequence(a []reflect.Value) int {
	params, _ := a[0].Interface().([]int)
	switch len(params) {
	case 1:
		return steps(1, params[0], 1)
	case 2:
		return steps(params[0], params[1], 1)
	case 3:
		return steps(params[0], params[2], params[1])
	}
	return 0
}

func pieces(a []reflect.Value) int {
	return strings.Count(a[len(a)-1].String(), a[0].String())
}

func characters(a []reflect.Value) int { return a[1].Len() / 16 }

// certificate has the fields of that of sprig.
type certificate struct{ Cert, Key string }

// clock is the time that it is in every rendering.
var clock = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// pemOf returns a block of PEM without a key or certificate in it.
func pemOf(kind string) string {
	return fmt.Sprintf("-----BEGIN %s-----\nAAAA\n-----END %s-----\n", kind, kind)
}

// standIns take the place of functions of sprig that would be different on each
// run or machine, or that cost more than a template may.
func standIns() text.FuncMap {
	filled := func(fill string) func(int) string {
		return func(count int) string { return strings.Repeat(fill, max(0, count)) }
	}
	signed := func(...any) certificate {
		return certificate{pemOf("CERTIFICATE"), pemOf("RSA PRIVATE KEY")}
	}
	return text.FuncMap{
		"randAlphaNum": filled("x"), "randAlpha": filled("x"), "randAscii": filled("x"), "randNumeric": filled("0"),
		"randBytes": func(count int) string {
			return base64.StdEncoding.EncodeToString(make([]byte, max(0, count)))
		},
		"randInt": func(from, to int) (int, error) {
			if to <= from {
				return 0, errors.New("an empty range of numbers")
			}
			return from, nil
		},
		"shuffle":       func(s string) string { return s },
		"uuidv4":        func() string { return "00000000-0000-4000-8000-000000000000" },
		"getHostByName": func(string) string { return "" },

		"now":            func() time.Time { return clock },
		"date":           func(layout string, date any) string { return instant(date).Format(layout) },
		"dateInZone":     func(layout string, date any, _ string) string { return instant(date).Format(layout) },
		"date_in_zone":   func(layout string, date any, _ string) string { return instant(date).Format(layout) },
		"htmlDate":       func(date any) string { return instant(date).Format(time.DateOnly) },
		"htmlDateInZone": func(date any, _ string) string { return instant(date).Format(time.DateOnly) },
		"ago":            func(date any) string { return clock.Sub(instant(date)).Round(time.Second).String() },
		"toDate": func(layout, s string) time.Time {
			t, _ := time.Parse(layout, s) // sprig has no error either
			return t
		},
		"mustToDate": time.Parse,
		"durationRound": func(d any) (string, error) {
			if t, ok := d.(time.Time); ok {
				d = int64(clock.Sub(t))
			}
			round, ok := sprig.TxtFuncMap()["durationRound"].(func(any) string)
			if !ok {
				return "", errors.New("sprig has no durationRound")
			}
			return round(d), nil
		},

		"bcrypt":         func(string) string { return hash },
		"htpasswd":       func(user, _ string) string { return user + ":" + hash },
		"derivePassword": func(uint32, string, string, string, string) string { return "xxxxxxxxxxxxxxxxxxxx" },
		"genPrivateKey":  func(string) string { return pemOf("RSA PRIVATE KEY") },
		"genCA":          signed, "genCAWithKey": signed,
		"genSelfSignedCert": signed, "genSelfSignedCertWithKey": signed,
		"genSignedCert": signed, "genSignedCertWithKey": signed, "buildCustomCert": signed,
		"encryptAES": func(_, s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"decryptAES": func(_, s string) (string, error) {
			data, err := base64.StdEncoding.DecodeString(s)
			return string(data), err
		},

		"keys": func(dicts ...map[string]any) []string {
			all := []string{}
			for _, dict := range dicts {
				all = append(all, slices.Sorted(maps.Keys(dict))...)
			}
			return all
		},
		"values": func(dict map[string]any) []any {
			all := []any{}
			for _, key := range slices.Sorted(maps.Keys(dict)) {
				all = append(all, dict[key])
			}
			return all
		},
	}
}

// hash has the form of one of bcrypt.
const hash = "$2a$10$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

// instant is a date as sprig takes it; anything else is the present.
func instant(date any) time.Time {
	switch d := date.(type) {
	case time.Time:
		return d.UTC()
	case *time.Time:
		return d.UTC()
	case int64:
		return time.Unix(d, 0).UTC()
	case int:
		return time.Unix(int64(d), 0).UTC()
	case int32:
		return time.Unix(int64(d), 0).UTC()
	}
	return clock
}
