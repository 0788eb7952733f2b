// Evaluates queries over series by Prometheus itself: JSON of both on the standard input, a line of JSON for each query on
// the output.
package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"
)

type input struct {
	Series []struct {
		Labels map[string]string
		Times  []int64
		Values []string
	}
	Queries []struct {
		Query            string
		Start, End, Step int64
	}
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	dir, _ := os.MkdirTemp("", "judge")
	defer os.RemoveAll(dir)
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = 1 << 50
	db, err := tsdb.Open(dir, nil, nil, opts, nil)
	if err != nil {
		panic(err)
	}
	app := db.Appender(context.Background())
	for _, s := range in.Series {
		l := labels.FromMap(s.Labels)
		for i, t := range s.Times {
			v := math.Float64frombits(value.StaleNaN)
			if s.Values[i] != "end" {
				v, _ = strconv.ParseFloat(s.Values[i], 64)
			}
			if _, err := app.Append(0, l, t, v); err != nil {
				panic(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		panic(err)
	}
	eng := promql.NewEngine(promql.EngineOpts{MaxSamples: 50000000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return 60000 }})
	enc := json.NewEncoder(os.Stdout)
	type ser struct {
		L string
		T []int64
		V []string
	}
	for _, q := range in.Queries {
		var qry promql.Query
		var err error
		if q.Step == 0 {
			qry, err = eng.NewInstantQuery(context.Background(), db, nil, q.Query, time.UnixMilli(q.Start))
		} else {
			qry, err = eng.NewRangeQuery(context.Background(), db, nil, q.Query, time.UnixMilli(q.Start), time.UnixMilli(q.End), time.Duration(q.Step)*time.Millisecond)
		}
		out := map[string]any{}
		if err != nil {
			out["error"] = err.Error()
			enc.Encode(out)
			continue
		}
		res := qry.Exec(context.Background())
		if res.Err != nil {
			out["error"] = res.Err.Error()
			enc.Encode(out)
			continue
		}
		f := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
		list := []ser{}
		switch v := res.Value.(type) {
		case promql.Vector:
			out["type"] = "vector"
			for _, s := range v {
				list = append(list, ser{s.Metric.String(), []int64{s.T}, []string{f(s.F)}})
			}
		case promql.Matrix:
			out["type"] = "matrix"
			for _, s := range v {
				o := ser{L: s.Metric.String()}
				for _, p := range s.Floats {
					o.T = append(o.T, p.T)
					o.V = append(o.V, f(p.F))
				}
				list = append(list, o)
			}
		case promql.Scalar:
			out["type"] = "scalar"
			list = append(list, ser{"{}", []int64{v.T}, []string{f(v.V)}})
		case promql.String:
			out["type"] = "string"
			list = append(list, ser{v.V, nil, nil})
		}
		out["series"] = list
		enc.Encode(out)
	}
}
