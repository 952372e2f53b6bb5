"""What transformers computes inside the models of `model_fixtures`: hidden states, attention, logits.

One sequence a family, prompt 1, with `output_hidden_states` and `output_attentions` (eager attention),
in float64; transformers itself computes the softmax of attention in float32.
"""
import torch

from model_fixtures import FAMILIES, Oracle, case, places, short, write


def samples(name, values):
    """Norm, largest and 16 elements of a tensor."""
    return {"norm": short(values.norm().item()), "largest": short(values.abs().max().item()),
            "at": places(name, values), "values": short(values.flatten()[places(name, values)].tolist())}


def inside(family):
    prompts, responses = case(family)
    oracle = Oracle(FAMILIES[family], prompts, responses)
    model = oracle.model
    with torch.no_grad():
        out = model(input_ids=torch.tensor([prompts[1]]), use_cache=False,
                    output_hidden_states=True, output_attentions=True)
        hidden, attention = out.hidden_states, out.attentions
        norm = model.transformer.ln_f if family == "gpt2" else model.model.norm
        # The last of the hidden states has passed the norm already.
        lens = torch.stack([model.lm_head(x[0, -1] if i == len(hidden) - 1 else norm(x[0, -1]))
                            for i, x in enumerate(hidden)])
    return {
        "hidden": [samples(f"{family} hidden {i}", x[0]) for i, x in enumerate(hidden)],
        "attention": [samples(f"{family} attention {i}", x[0].double())
                      for i, x in enumerate(attention)],
        "logits": samples(f"{family} logits", out.logits[0]),
        "lens": samples(f"{family} lens", lens),
    }


def make(folder):
    for family in FAMILIES:
        write(folder / "models" / family / "inside.json", inside(family))
