"""What is said to `ip`, and what is read from it and from the kernel."""

from heartline_lab.network.commands import Loss, forgetting, hosts, left_behind, losses, ports_in_use


def test_a_name_says_which_process_made_it_and_no_two_pairs_share_one() -> None:
    first, second = hosts(4711, 1), hosts(4711, 2)
    assert [host.name for host in (*first, *second)] == [
        "heartline-4711-1-client",
        "heartline-4711-1-server",
        "heartline-4711-2-client",
        "heartline-4711-2-server",
    ]


def test_a_host_says_how_to_run_a_program_inside() -> None:
    client, _ = hosts(4711, 1)
    assert client.inside() == ["ip", "netns", "exec", "heartline-4711-1-client"]


def test_what_dead_processes_left_behind_is_found_among_what_is_in_use() -> None:
    listing = (
        "heartline-12-1-client (id: 3)\nheartline-12-1-server\nheartline-345-1-client\nother\nheartline-12-extra\n"
    )
    assert left_behind(listing, lambda pid: pid == 345) == ["heartline-12-1-client", "heartline-12-1-server"]


def test_packets_are_lost_where_they_come_in() -> None:
    assert losses("up") == {Loss("server")}
    assert losses("down") == {Loss("client")}
    assert losses("both") == {Loss("server"), Loss("client")}
    assert Loss("server").rule() == "pref 10 iif eth0 blackhole"


def test_a_connection_is_lost_both_ways_by_its_clients_port() -> None:
    assert {loss.rule() for loss in forgetting([50001])} == {
        "pref 10 iif eth0 ipproto 6 sport 50001 blackhole",
        "pref 10 iif eth0 ipproto 6 dport 50001 blackhole",
    }


def test_connections_are_found_in_the_kernels_tables_of_both_families_and_listeners_are_not() -> None:
    tables = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 010012C6:C351 020012C6:C383 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 20 4 30 10 -1
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 0000000000000000FFFF0000010012C6:C352 0000000000000000FFFF0000020012C6:C384 01 00000000:00000000
"""
    assert ports_in_use(tables) == [50001, 50002]
