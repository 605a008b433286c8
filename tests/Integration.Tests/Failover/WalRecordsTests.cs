using PlatformOps.Guard.Changes;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What is counted of a log that one node alone has. The lines are as <c>pg_waldump</c> 15 writes them.</summary>
public class WalRecordsTests
{
    private const long Fork = 0x3000000;

    [Fact]
    public void Rows_count_when_their_transaction_committed_after_the_fork_wherever_they_were_changed()
    {
        var records = Read(
            "rmgr: Heap        len (rec/tot):     63/    63, tx:        740, lsn: 0/02FFFF00, prev 0/02FFFE00, desc: INSERT off 5 flags 0x08, blkref #0: rel 1663/5/16390 blk 0",
            "rmgr: Heap        len (rec/tot):     63/    63, tx:        739, lsn: 0/02FFFF20, prev 0/02FFFE00, desc: INSERT+INIT off 1 flags 0x08, blkref #0: rel 1663/5/16390 blk 1",
            "rmgr: Transaction len (rec/tot):     34/    34, tx:        739, lsn: 0/02FFFF40, prev 0/02FFFF00, desc: COMMIT 2026-11-25 19:00:00.000000 UTC",
            "rmgr: Heap        len (rec/tot):     72/    72, tx:        740, lsn: 0/03000028, prev 0/02FFFF40, desc: HOT_UPDATE off 5 xmax 740 flags 0x10 ; new off 6 xmax 0, blkref #0: rel 1663/5/16390 blk 0",
            "rmgr: Transaction len (rec/tot):     34/    34, tx:        740, lsn: 0/03000070, prev 0/03000028, desc: COMMIT 2026-11-25 19:00:00.100000 UTC");
        Assert.Equal((1, 2, 0x3000070), (records.Transactions, records.Rows, records.End));
    }

    [Fact]
    public void What_was_rolled_back_or_is_the_servers_own_does_not_count()
    {
        var records = Read(
            "rmgr: Heap        len (rec/tot):     63/    63, tx:        741, lsn: 0/03000028, prev 0/03000000, desc: DELETE off 5 flags 0x00 KEYS_UPDATED , blkref #0: rel 1663/5/16390 blk 0",
            "rmgr: Transaction len (rec/tot):     34/    34, tx:        741, lsn: 0/03000060, prev 0/03000028, desc: ABORT 2026-11-25 19:00:00.000000 UTC",
            "rmgr: Heap        len (rec/tot):     63/    63, tx:        742, lsn: 0/03000090, prev 0/03000060, desc: INSERT off 5 flags 0x00, blkref #0: rel 1663/5/1259 blk 0",
            "rmgr: Heap        len (rec/tot):     63/    63, tx:        742, lsn: 0/030000C0, prev 0/03000060, desc: HOT_UPDATE off 5, blkref #0: rel 1663/5/16399 blk 0",
            "rmgr: Transaction len (rec/tot):     34/    34, tx:        742, lsn: 0/030000F0, prev 0/03000090, desc: COMMIT 2026-11-25 19:00:00.000000 UTC",
            "rmgr: Heap        len (rec/tot):     63/    63, tx:        743, lsn: 0/03000120, prev 0/03000060, desc: INSERT off 5 flags 0x00, blkref #0: rel 1663/5/16390 blk 0");
        Assert.Equal((0, 0), (records.Transactions, records.Rows));
    }

    [Fact]
    public void A_copy_counts_each_row_and_savepoints_belong_to_their_transaction()
    {
        var records = Read(
            "rmgr: Heap2       len (rec/tot):    163/   163, tx:        750, lsn: 0/03000028, prev 0/03000000, desc: MULTI_INSERT+INIT 12 tuples flags 0x02, blkref #0: rel 1663/5/16390 blk 0",
            "rmgr: Heap        len (rec/tot):     63/    63, tx:        751, lsn: 0/03000090, prev 0/03000060, desc: INSERT off 5 flags 0x00, blkref #0: rel 1663/5/16390 blk 0",
            "rmgr: Transaction len (rec/tot):     34/    34, tx:        750, lsn: 0/030000C0, prev 0/03000090, desc: COMMIT 2026-11-25 19:00:00.000000 UTC; subxacts: 751");
        Assert.Equal((1, 13), (records.Transactions, records.Rows));
    }

    private static WalRecords Read(params string[] lines)
    {
        var records = new WalRecords(Fork, ["5/16399"]);
        foreach (var line in lines)
            records.Read(line);
        return records;
    }
}
