package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// handler makes the result of a record.
type handler func(context.Context, *kgo.Record) (*kgo.Record, error)

// workOff handles records of a key one after the other, in their order, and at most limit at a time. It returns the
// results in the order of the records once all are there, or the first error once nothing is under way any more.
func workOff(ctx context.Context, records []*kgo.Record, limit int, handle handler) ([]*kgo.Record, error) {
	results := make([]*kgo.Record, len(records))
	lanes, places := make([]string, 0, len(records)), make(map[string][]int, len(records))
	for place, record := range records {
		key := string(record.Key)
		if places[key] == nil {
			lanes = append(lanes, key)
		}
		places[key] = append(places[key], place)
	}
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(limit)
	for _, key := range lanes {
		workers.Go(func() error {
			for _, place := range places[key] {
				if err := ctx.Err(); err != nil {
					return err
				}
				result, err := handle(ctx, records[place])
				if err != nil {
					return err
				}
				results[place] = result
			}
			return nil
		})
	}
	return results, workers.Wait()
}
