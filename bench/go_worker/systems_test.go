package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const read = `{"data": {"attributes": {"name": "Tr & Co", "isSelected": true, "customCoverages": [],
	"customEmbargoPeriod": {"embargoValue": 0}, "tags": {"tagList": ["a", "b"]}, "url": "https://publisher.example"}}}`

// asked carries an update of these tags out, and returns what was asked of the systems and with which bodies.
func asked(t *testing.T, tags []string) (calls, bodies []string) {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		body := new(strings.Builder)
		if err := request.Write(body); err != nil {
			t.Error(err)
		}
		_, after, _ := strings.Cut(body.String(), "\r\n\r\n")
		calls, bodies = append(calls, request.Method+" "+request.URL.Path), append(bodies, after)
		if _, err := answer.Write([]byte(read)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	wanted := change{EHoldings: eholdings{
		Action: "update", ResourceID: "1-2-3", Tags: tags, Attributes: attributes{"isSelected": []byte("false")},
	}}

	if err := newSystems(server.URL, "bench", "token").carryOut(context.Background(), wanted); err != nil {
		t.Fatal(err)
	}
	return calls, bodies
}

func TestWhatAPutWouldClearIsSentAsItWasRead(t *testing.T) {
	calls, bodies := asked(t, nil)

	if !slices.Equal(calls, []string{"GET /eholdings/resources/1-2-3", "PUT /eholdings/resources/1-2-3"}) {
		t.Fatal(calls)
	}
	if bodies[1] != `{"data":{"type":"resources","attributes":`+
		`{"customCoverages":[],"customEmbargoPeriod":{"embargoValue":0},"isSelected":false}}}` {
		t.Fatal(bodies[1])
	}
}

func TestTagsArePutWhereTheyDiffer(t *testing.T) {
	for _, same := range [][]string{{"a", "b"}, {"b", "a", "b"}} {
		if calls, _ := asked(t, same); len(calls) != 2 {
			t.Fatal(same, calls)
		}
	}
	for _, other := range [][]string{{}, {"a"}, {"a", "b", "c"}} {
		if calls, _ := asked(t, other); len(calls) != 3 || calls[2] != "PUT /eholdings/resources/1-2-3/tags" {
			t.Fatal(other, calls)
		}
	}
}

func TestAnAnswerThatIsNoSuccessIsAnErrorThatNamesTheCall(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	wanted := change{EHoldings: eholdings{Action: "remove", ResourceID: "1-2-3"}}

	err := newSystems(server.URL, "bench", "token").carryOut(context.Background(), wanted)

	if err == nil || err.Error() != "DELETE /eholdings/resources/1-2-3: 404 Not Found" {
		t.Fatal(err)
	}
}
