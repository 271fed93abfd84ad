"""LangChain: Retriton's retriever, and OpenAI's classes; prints what it got as one line of JSON."""

import asyncio
import json
import pickle
import sys
import warnings

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from retriton.integrations.langchain import RetritonRetriever
from retriton_client import InvalidRequest, Unavailable

warnings.simplefilter("error")
url, key, model, question, *texts = sys.argv[1:]
retriever = RetritonRetriever(gateway_url=url, api_key=key, k=2, search_options={"mode": "hybrid"})


def shown(documents: list) -> list:
    return [[document.id, document.page_content, document.metadata] for document in documents]


def refusal(**options: object) -> str:
    try:
        return str(retriever.invoke(question, None, **options))
    except InvalidRequest as error:
        return f"{error.code}: {error}"


def unreachable() -> str:
    try:
        return str(RetritonRetriever(gateway_url="http://127.0.0.1:9", timeout_s=0.3).invoke(question))
    except Unavailable as error:
        return str(error)


async def both() -> list:
    return await asyncio.gather(*(retriever.ainvoke(question) for _ in range(4)))


here = {"base_url": f"{url}/v1", "api_key": key}
embeddings = OpenAIEmbeddings(model=model, check_embedding_ctx_length=False, **here)
chain = (
    {"context": retriever, "question": RunnablePassthrough()}
    | ChatPromptTemplate.from_template("{context} {question}")
    | ChatOpenAI(model="m", **here)
    | StrOutputParser()
)
found = retriever.invoke(question)
result = {
    "found": shown(found),
    "loops": [shown(answer) for _ in range(2) for answer in asyncio.run(both())],  # two event loops
    "pickled": shown(pickle.loads(pickle.dumps(retriever)).invoke(question)),
    "filtered": shown(retriever.invoke(question, None, filter='source == "glossary.txt"', k=1)),
    "refused": [refusal(mode="words"), refusal(nothing=1), refusal(collection="nowhere"), refusal(filter="page >")],
    "unreachable": unreachable(),
    "dumped": RetritonRetriever(gateway_url=url, api_key=key).model_dump_json(),
    "query": embeddings.embed_query(texts[0]),
    "documents": embeddings.embed_documents(texts),
    "documents_async": asyncio.run(embeddings.aembed_documents(texts)),
    "answer": chain.invoke(question),
}
sys.stdout.write(json.dumps(result))
