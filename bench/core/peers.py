#!/usr/bin/env python3
"""What users would pick instead: the same work in SimPy and on a Python heap.

    peers.py hold heapq|simpy N COUNT
    peers.py mm1 heapq|simpy CUSTOMERS

Prints nanoseconds and a check value as the C drivers do. The programs are
written as their own tutorials would write them.
"""

import heapq
import random
import sys
import time

TABLE = 1 << 14
SERVICE_PS = 10**9


def report(started, check):
    print(time.perf_counter_ns() - started, int(check))


def hold_heapq(n, count):
    table = [random.expovariate(1) for _ in range(TABLE)]
    pending = [(table[i % TABLE], i, i) for i in range(n)]
    heapq.heapify(pending)
    sequence, check = n, 0
    started = time.perf_counter_ns()
    for i in range(count):
        now, _, event = heapq.heappop(pending)
        check += event
        heapq.heappush(pending, (now + table[i % TABLE], sequence, event))
        sequence += 1
    report(started, check)


def hold_simpy(n, count):
    import simpy

    env = simpy.Environment()
    table = [random.expovariate(1) for _ in range(TABLE)]

    def process(at):
        while True:
            yield env.timeout(table[at % TABLE])
            at += 1

    for i in range(n):
        env.process(process(i))
    for _ in range(2 * n):  # The start of each process and its first wait.
        env.step()
    started = time.perf_counter_ns()
    for _ in range(count):
        env.step()
    report(started, env.now)


def mm1_heapq(customers):
    pending = [(random.expovariate(0.9), 0, True)]
    sequence, to_come, in_system, sojourn, before = 1, customers, 0, 0.0, 0.0
    started = time.perf_counter_ns()
    while pending:
        now, _, arrives = heapq.heappop(pending)
        sojourn += in_system * (now - before)
        before = now
        if arrives:
            in_system += 1
            to_come -= 1
            if to_come > 0:
                heapq.heappush(pending, (now + random.expovariate(0.9), sequence, True))
                sequence += 1
            begins = in_system == 1
        else:
            in_system -= 1
            begins = in_system > 0
        if begins:
            heapq.heappush(pending, (now + random.expovariate(1), sequence, False))
            sequence += 1
    report(started, sojourn * SERVICE_PS)


def mm1_simpy(customers):
    import simpy

    env = simpy.Environment()
    server = simpy.Resource(env)
    sojourns = []

    def customer():
        arrived = env.now
        with server.request() as request:
            yield request
            yield env.timeout(random.expovariate(1))
        sojourns.append(env.now - arrived)

    def source():
        for _ in range(customers):
            yield env.timeout(random.expovariate(0.9))
            env.process(customer())

    env.process(source())
    started = time.perf_counter_ns()
    env.run()
    report(started, sum(sojourns) * SERVICE_PS)


PEERS = {
    ("hold", "heapq"): hold_heapq,
    ("hold", "simpy"): hold_simpy,
    ("mm1", "heapq"): mm1_heapq,
    ("mm1", "simpy"): mm1_simpy,
}

if __name__ == "__main__":
    random.seed(1)
    PEERS[sys.argv[1], sys.argv[2]](*map(int, sys.argv[3:]))
