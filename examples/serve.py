"""Answer rows of numbers with the label and the probabilities of a saved classifier, as JSON.

python serve.py model.skimbal 8000
curl --data '[0.5, -1.2, 3.0]' http://127.0.0.1:8000
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from skimbal.persistence import load


class Handler(BaseHTTPRequestHandler):
    wbufsize = -1  # the answer leaves as one packet

    def do_POST(self):
        try:
            row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = 200, answer_to(row)
        except (TypeError, ValueError) as error:
            status, answer = 400, {"error": str(error)}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


def answer_to(row):
    proba = dict(zip(model.classes_.astype(str), model.predict_proba([row])[0], strict=True))
    return {"label": model.predict([row]).tolist()[0], "probabilities": proba}


if __name__ == "__main__":
    model = load(sys.argv[1])
    server = HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
