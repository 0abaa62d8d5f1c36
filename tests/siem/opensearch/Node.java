import org.codelibs.opensearch.runner.OpenSearchRunner;

/** An OpenSearch node on loopback, until it is told to end: java Node.java PORT DIRECTORY */
public class Node {
  public static void main(String[] args) throws Exception {
    OpenSearchRunner node = new OpenSearchRunner();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (Exception error) {
        error.printStackTrace();
      }
    }));
    node.onBuild((number, settings) -> {
      settings.put("http.port", args[0]);
      settings.put("network.host", "127.0.0.1");
      settings.put("discovery.type", "single-node");
      settings.putList("node.roles", "cluster_manager", "data", "ingest");
    });
    node.build(OpenSearchRunner.newConfigs().clusterName("siem").numOfNode(1).basePath(args[1]));
    Thread.currentThread().join();
  }
}
