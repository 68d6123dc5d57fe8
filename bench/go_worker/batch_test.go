package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// records have these keys, and their place as their value.
func records(keys ...string) []*kgo.Record {
	made := make([]*kgo.Record, len(keys))
	for place, key := range keys {
		made[place] = &kgo.Record{Key: []byte(key), Value: []byte(strconv.Itoa(place))}
	}
	return made
}

func echo(_ context.Context, record *kgo.Record) (*kgo.Record, error) {
	return &kgo.Record{Key: record.Key, Value: record.Value}, nil
}

func TestResultsAreInTheOrderOfTheRecords(t *testing.T) {
	given := records("b", "a", "b", "c", "a")

	results, err := workOff(context.Background(), given, 2, echo)

	if err != nil || !slices.EqualFunc(results, given, func(one, other *kgo.Record) bool {
		return string(one.Value) == string(other.Value)
	}) {
		t.Fatalf("got %v, %v", results, err)
	}
}

func TestRecordsOfAKeyWaitForOneAnotherAndThoseOfOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lock sync.Mutex
		var begun []string
		handle := func(ctx context.Context, record *kgo.Record) (*kgo.Record, error) {
			lock.Lock()
			begun = append(begun, string(record.Value))
			lock.Unlock()
			time.Sleep(time.Second)
			return echo(ctx, record)
		}
		began := time.Now()

		_, err := workOff(context.Background(), records("a", "a", "a", "b", "c"), 10, handle)

		if err != nil || time.Since(began) != 3*time.Second {
			t.Fatalf("took %v, %v", time.Since(began), err)
		}
		slices.Sort(begun[:3])
		if !slices.Equal(begun, []string{"0", "3", "4", "1", "2"}) {
			t.Fatalf("begun in the order %v", begun)
		}
	})
}

func TestNoMoreThanTheLimitAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handle := func(ctx context.Context, record *kgo.Record) (*kgo.Record, error) {
			time.Sleep(time.Second)
			return echo(ctx, record)
		}
		began := time.Now()

		_, err := workOff(context.Background(), records("a", "b", "c", "d", "e"), 2, handle)

		if err != nil || time.Since(began) != 3*time.Second {
			t.Fatalf("took %v, %v", time.Since(began), err)
		}
	})
}

func TestWithTheFirstErrorNothingFurtherBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		begun := 0
		handle := func(_ context.Context, record *kgo.Record) (*kgo.Record, error) {
			begun++
			return nil, refused
		}

		_, err := workOff(context.Background(), records("a", "a", "b", "c"), 1, handle)

		if !errors.Is(err, refused) || begun != 1 {
			t.Fatalf("%d begun, %v", begun, err)
		}
	})
}
